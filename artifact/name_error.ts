import { HotplugError } from "./errors.ts";

/** The part of a name that is wrong; `shape` if there are not enough parts, or it is a path. */
export type ArtifactNamePart =
  | "shape"
  | "length"
  | "name"
  | "scn"
  | "version"
  | "os"
  | "arch"
  | "target"
  | "extension";

/** Thrown for what is not the name of an artifact, an info file or a plugin; its code is `name`. */
export class ArtifactNameError extends HotplugError {
  /** The class's name. */
  override name = "ArtifactNameError";
  /** The part that is wrong. */
  readonly part: ArtifactNamePart;
  /** What was read, whole and as it came: not fit to be printed. */
  readonly input: string;

  /** Makes an error for one part of the input. */
  constructor(part: ArtifactNamePart, input: string, message: string, options?: ErrorOptions) {
    super("name", message, options);
    this.part = part;
    this.input = input;
  }
}
