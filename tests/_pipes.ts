import { assertEquals } from "@std/assert";

/** Makes named pipes; not on Windows. */
export async function makePipes(...paths: readonly string[]): Promise<void> {
  const { code } = await new Deno.Command("mkfifo", { args: [...paths] }).output();
  assertEquals(code, 0);
}
