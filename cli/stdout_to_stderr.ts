import { Console } from "node:console";
import process from "node:process";

type Holder = Record<string, unknown>;

/**
 * Sends what this process prints to standard error, until disposed of: standard output is kept for
 * the command's own lines, which are written to its descriptor.
 *
 * It reaches `console`, `Deno.stdout` and `process.stdout`; a plugin that writes to descriptor 1
 * itself, from a worker, or by a process that inherits it, is not kept from it.
 */
export function stdoutToStderr(): Disposable {
  const undo: (() => void)[] = [];
  const replace = (holder: Holder, key: string, value: unknown): void => {
    const before = Object.getOwnPropertyDescriptor(holder, key);
    Object.defineProperty(holder, key, { value, writable: true, configurable: true });
    // A plugin may have frozen it since: then it stays.
    undo.push(() => {
      if (before) Reflect.defineProperty(holder, key, before);
      else Reflect.deleteProperty(holder, key);
    });
  };
  const toStderr = new Console({ stdout: process.stderr, stderr: process.stderr });
  const methods = toStderr as unknown as Holder;
  // In place, since the object may be held already.
  for (const key of Object.keys(console)) {
    const method = methods[key];
    if (typeof method === "function") {
      replace(console as unknown as Holder, key, method.bind(toStderr));
    }
  }
  const stdout = Deno.stdout as unknown as Holder;
  replace(stdout, "write", (bytes: Uint8Array) => Deno.stderr.write(bytes));
  replace(stdout, "writeSync", (bytes: Uint8Array) => Deno.stderr.writeSync(bytes));
  replace(stdout, "writable", Deno.stderr.writable);
  replace(
    process.stdout as unknown as Holder,
    "write",
    process.stderr.write.bind(process.stderr),
  );
  // That nobody reads what plugins print is no failure of theirs, nor of the command.
  const ignore = (): void => {};
  process.stderr.on("error", ignore);
  undo.push(() => process.stderr.off("error", ignore));
  return { [Symbol.dispose]: () => undo.reverse().forEach((restore) => restore()) };
}
