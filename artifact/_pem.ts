import { decodeBase64 } from "./_base64.ts";

/** One block of a PEM text. */
export interface PemBlock {
  /** What it says that it holds, as `PUBLIC KEY`. */
  readonly label: string;
  /** What it holds. */
  readonly der: Uint8Array<ArrayBuffer>;
}

const BLOCK = /^-----BEGIN ([A-Z0-9 ]+)-----\s*?\n([A-Za-z0-9+/=\s]*?)^-----END \1-----[ \t]*$/gm;

/** Reads the blocks of a PEM text; nothing where any of it is neither a block nor a `#` comment. */
export function readPem(text: string): PemBlock[] | undefined {
  const blocks: PemBlock[] = [];
  const rest = text.replaceAll("\r\n", "\n").replace(BLOCK, (_, label: string, body: string) => {
    const der = decodeBase64(body.replace(/\s/g, ""));
    if (der === undefined || der.length === 0) return "not base64";
    blocks.push({ label, der });
    return "";
  });
  return /^(?:\s*(?:#.*)?\n)*\s*(?:#.*)?$/.test(rest) ? blocks : undefined;
}

/** Writes a block, in lines of 64 characters. */
export function formatPem(label: string, base64: string): string {
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
