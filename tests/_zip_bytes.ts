import { crc32, deflateRawSync } from "node:zlib";

const encoder = new TextEncoder();

/** One entry of a zip, as its two headers have it; nothing is checked. */
export interface ZipPart {
  readonly name: string | Uint8Array;
  readonly body?: string | Uint8Array;
  readonly deflate?: boolean;
  /** Another name in the header that stands before the data. */
  readonly localName?: string;
  /** What the directory claims, in the place of the truth. */
  readonly claims?: { readonly size?: number; readonly packed?: number; readonly crc?: number };
  /** Whether the header before the data claims the same. */
  readonly localClaims?: boolean;
  readonly method?: number;
  readonly flags?: number;
  /** The Unix mode. */
  readonly mode?: number;
  /** Where the directory says that the entry begins. */
  readonly offset?: number;
  readonly extra?: Uint8Array;
}

/** What the record at the end of a zip claims, in the place of the truth. */
export interface ZipEnd {
  readonly count?: number;
  readonly directoryOffset?: number;
  readonly directorySize?: number;
  readonly disk?: number;
  /** Bytes after the end. */
  readonly after?: Uint8Array;
  /** Bytes before the beginning. */
  readonly before?: Uint8Array;
}

/** Writes a zip byte by byte. */
export function zipBytes(parts: readonly ZipPart[], end: ZipEnd = {}): Uint8Array<ArrayBuffer> {
  const files: number[] = [...end.before ?? []];
  const directory: number[] = [];
  for (const part of parts) {
    const offset = part.offset ?? files.length;
    const { name, data, fields, localFields } = encode(part);
    const localName = part.localName === undefined ? name : encoder.encode(part.localName);
    const extra = part.extra ?? new Uint8Array();
    push(files, u32(0x04034b50), localFields, u16(localName.length), u16(0), localName, data);
    const mode = u32(((part.mode ?? 0o100644) << 16) >>> 0);
    push(directory, u32(0x02014b50), u16((3 << 8) | 20), fields, u16(name.length));
    push(directory, u16(extra.length), u16(0), u16(0), u16(0), mode, u32(offset), name, extra);
  }
  const count = u16(end.count ?? parts.length);
  const [size, start] = [
    end.directorySize ?? directory.length,
    end.directoryOffset ?? files.length,
  ];
  const last: number[] = [];
  push(
    last,
    u32(0x06054b50),
    u16(end.disk ?? 0),
    u16(0),
    count,
    count,
    u32(size),
    u32(start),
    u16(0),
  );
  return new Uint8Array([...files, ...directory, ...last, ...end.after ?? []]);
}

function encode(part: ZipPart) {
  const body = bytesOf(part.body ?? "");
  const data = part.deflate ? new Uint8Array(deflateRawSync(body)) : body;
  const { size = body.length, packed = data.length, crc = crc32(body) } = part.claims ?? {};
  const method = part.method ?? (part.deflate ? 8 : 0);
  const start = [...u16(20), ...u16(part.flags ?? 0x800), ...u16(method), ...u16(0), ...u16(0x21)];
  const fields = [...start, ...u32(crc), ...u32(packed), ...u32(size)];
  const truth = [...start, ...u32(crc32(body)), ...u32(data.length), ...u32(body.length)];
  return {
    name: bytesOf(part.name),
    data,
    fields,
    localFields: part.localClaims === false ? truth : fields,
  };
}

function push(target: number[], ...values: (readonly number[] | Uint8Array)[]): void {
  for (const value of values) for (const byte of value) target.push(byte);
}

function u16(value: number): number[] {
  return [value & 255, (value >>> 8) & 255];
}

function u32(value: number): number[] {
  return [...u16(value & 0xffff), ...u16(value >>> 16)];
}

function bytesOf(value: string | Uint8Array): Uint8Array {
  return typeof value === "string" ? encoder.encode(value) : value;
}
