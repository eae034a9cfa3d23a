import { randomBytes } from "node:crypto";
import { formatOwner, type Owner, parseOwner, thisOwner } from "./owner.ts";

const SHAPE = /^\..+\.tmp-([0-9a-f]{8}-[0-9]+-[0-9]+)-[0-9a-f]{8}$/;

/** What a system says that has no hard links, or none between these two places. */
export const LINKS_NOT_SUPPORTED: ReadonlySet<string> = new Set(
  ["EPERM", "EACCES", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EXDEV", "EMLINK", "EINVAL"],
);

/** The name under which a file is written before it gets its own; it says who writes. */
export function temporaryName(file: string): string {
  const own = file.startsWith(".") ? file : `.${file}`;
  return `${own}.tmp-${formatOwner(thisOwner())}-${randomBytes(4).toString("hex")}`;
}

/** Reads who writes, or wrote, a temporary file; nothing if the name is of another kind. */
export function parseTemporaryName(file: string): Owner | undefined {
  const [, token] = SHAPE.exec(file) ?? [];
  return token === undefined ? undefined : parseOwner(token);
}
