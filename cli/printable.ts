// deno-lint-ignore-file no-control-regex -- they are what it is about

const ESCAPE_CODE = /\x1b\[[0-?]*[ -/]*[@-~]/g;
const CONTROL = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text that a plugin or a file name may have a part in, such that it can't colour, move or reorder
 * what a terminal shows. Its lines stay.
 */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(ESCAPE_CODE, "").replaceAll("\t", "  ").replace(
    CONTROL,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
