import { HotplugError } from "../../artifact/mod.ts";
import { quote } from "../quote.ts";

/** How much a source may hold: what keeps a bomb, or a wrong folder, from filling the disk. */
export interface SourceLimits {
  /**
   * The most files and folders.
   *
   * @default {20_000}
   */
  readonly entries?: number;
  /**
   * The largest single file, in bytes after decompression.
   *
   * @default {67_108_864}
   */
  readonly fileBytes?: number;
  /**
   * The most bytes of all files together, after decompression.
   *
   * @default {536_870_912}
   */
  readonly totalBytes?: number;
  /**
   * The most that a file in an archive may grow when it is decompressed, as a factor; files up to
   * 1 MiB are not asked.
   *
   * @default {200}
   */
  readonly ratio?: number;
  /**
   * The most bytes to download, as they come.
   *
   * @default {268_435_456}
   */
  readonly downloadBytes?: number;
  /**
   * The most time that a download may take, in milliseconds.
   *
   * @default {120_000}
   */
  readonly downloadTime?: number;
}

/** The limits where the caller names none. */
export const DEFAULT_SOURCE_LIMITS: Required<SourceLimits> = Object.freeze({
  entries: 20_000,
  fileBytes: 64 * 1024 * 1024,
  totalBytes: 512 * 1024 * 1024,
  ratio: 200,
  downloadBytes: 256 * 1024 * 1024,
  downloadTime: 120_000,
});

const RATIO_FREE_BYTES = 1024 * 1024;
// Of a file in a tar: its header, an extended header, and what fills up their blocks.
const ENTRY_OVERHEAD = 2048;

/** Counts what is unpacked, and throws (code `source`) as soon as a limit is passed. */
export class SourceBudget {
  readonly #limits: Required<SourceLimits>;
  readonly #source: string;
  #entries = 0;
  #bytes = 0;

  /** Starts at nothing; `source` is what messages name. */
  constructor(source: string, limits: Required<SourceLimits>) {
    this.#source = source;
    this.#limits = limits;
  }

  /** How many files and folders there were. */
  get entries(): number {
    return this.#entries;
  }

  /** How many bytes there were. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Counts one file or folder. */
  addEntry(): void {
    if (++this.#entries > this.#limits.entries) {
      throw this.#refusal(`it holds more than ${this.#limits.entries} files and folders`);
    }
  }

  /** Counts bytes of one file, which now has `fileBytes` of them, out of `packed` in the archive. */
  addBytes(path: string, count: number, fileBytes: number, packed?: number): void {
    const { fileBytes: most, totalBytes, ratio } = this.#limits;
    this.#bytes += count;
    if (fileBytes > most) {
      throw this.#refusal(`the file ${quote(path)} is larger than ${most} bytes`);
    }
    if (this.#bytes > totalBytes) {
      throw this.#refusal(`it holds more than ${totalBytes} bytes in all`);
    }
    if (packed !== undefined && fileBytes > RATIO_FREE_BYTES && fileBytes > packed * ratio) {
      throw this.#refusal(
        `the file ${quote(path)} grows to more than ${ratio} times its packed size`,
      );
    }
  }

  /** Checks how far a compressed archive of `packed` bytes has grown, whatever is in it. */
  checkArchive(unpacked: number, packed: number | undefined): void {
    const { entries, totalBytes, ratio } = this.#limits;
    if (unpacked > totalBytes + entries * ENTRY_OVERHEAD) {
      throw this.#refusal(`the archive unpacks to more than ${totalBytes} bytes`);
    }
    if (packed !== undefined && unpacked > RATIO_FREE_BYTES && unpacked > packed * ratio) {
      throw this.#refusal(`the archive grows to more than ${ratio} times its packed size`);
    }
  }

  #refusal(why: string): HotplugError {
    return new HotplugError(
      "source",
      `Cannot use the source ${quote(this.#source)}: ${why}; leave out what the plugin doesn't ` +
        `need, or raise the limit`,
    );
  }
}
