// deno-lint-ignore-file no-console -- it is what is kept quiet
const NOTICE = /^Deno\.serve: request\.signal aborts on successful responses/;

/**
 * Keeps Deno's notice of how it aborts a request's signal off the terminal, until disposed of: it
 * comes once, at the first answer, and says nothing to who runs the command.
 */
export function withoutAbortNotice(): Disposable {
  const { warn } = console;
  const quiet = (...args: unknown[]): void => {
    if (!NOTICE.test(String(args[0]))) warn.apply(console, args);
  };
  console.warn = quiet;
  return {
    [Symbol.dispose]() {
      if (console.warn === quiet) console.warn = warn;
    },
  };
}
