const BLOCK = 512;
const encoder = new TextEncoder();

/** One entry of a tar, as its header has it; nothing is checked. */
export interface TarPart {
  readonly name: string | Uint8Array;
  readonly body?: string | Uint8Array;
  /** One character; a file where none is given. */
  readonly type?: string;
  readonly prefix?: string;
  readonly link?: string;
  /** The size that the header claims, in the place of the body's. */
  readonly size?: number | string | Uint8Array;
  /** The checksum that the header claims, in the place of its own. */
  readonly checksum?: string;
  readonly magic?: string;
}

/** Writes a tar byte by byte, with the two empty blocks that end it. */
export function tarBytes(parts: readonly TarPart[], end = BLOCK * 2): Uint8Array<ArrayBuffer> {
  return joined(
    [...parts.flatMap((part) => [header(part), padded(bytesOf(part.body ?? ""))])],
    end,
  );
}

/** Writes the records of an extended header: `LENGTH KEY=VALUE`. */
export function paxRecords(fields: Readonly<Record<string, string>>): string {
  return Object.entries(fields).map(([key, value]) => {
    const rest = ` ${key}=${value}\n`;
    const length = encoder.encode(rest).length;
    const whole = length + String(length).length;
    return `${length + String(whole).length}${rest}`;
  }).join("");
}

/** Compresses with gzip. */
export async function gzipped(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip"));
  return await new Response(packed).bytes();
}

function header(part: TarPart): Uint8Array {
  const { name, type = "0", prefix = "", link = "", magic = "ustar\x0000", checksum } = part;
  const size = part.size ?? bytesOf(part.body ?? "").length;
  const block = new Uint8Array(BLOCK);
  const put = (at: number, value: string | Uint8Array) => block.set(bytesOf(value), at);
  put(0, bytesOf(name).subarray(0, 100));
  put(100, "0000644\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, typeof size === "number" ? `${size.toString(8).padStart(11, "0")}\0` : size);
  put(136, "00000000000\0");
  put(148, " ".repeat(8));
  put(156, type);
  put(157, bytesOf(link).subarray(0, 100));
  put(257, magic);
  put(345, bytesOf(prefix).subarray(0, 155));
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, checksum ?? `${sum.toString(8).padStart(6, "0")}\0 `);
  return block;
}

function padded(body: Uint8Array): Uint8Array {
  const whole = new Uint8Array(Math.ceil(body.length / BLOCK) * BLOCK);
  whole.set(body);
  return whole;
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : value;
}

function joined(chunks: readonly Uint8Array[], end: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0) + end);
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.length;
  }
  return bytes;
}
