import { HotplugError } from "../../artifact/mod.ts";

/**
 * Decompresses gzip in memory and gives up past the limit, so that a bomb costs no more than that.
 *
 * @throws {HotplugError} `integrity` for what is no gzip or is cut short, `limit` past the limit.
 */
export async function gunzip(
  bytes: Uint8Array<ArrayBuffer>,
  maxSize: number,
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const reader = new Blob([bytes]).stream()
    .pipeThrough(new DecompressionStream("gzip"))
    .getReader();
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    while (true) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > maxSize) {
        throw new HotplugError(
          "limit",
          `Cannot open "${file}": its content is larger than the limit of ${maxSize} bytes`,
        );
      }
      chunks.push(value);
    }
  } catch (error) {
    if (error instanceof HotplugError) throw error;
    throw new HotplugError(
      "integrity",
      `Cannot open "${file}": it is no whole gzip file; publish it again`,
      {
        cause: error,
      },
    );
  } finally {
    await reader.cancel().catch(() => {});
  }
  const content = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    content.set(chunk, offset);
    offset += chunk.length;
  }
  return content;
}
