/** Tells of what nobody caught in this process or worker, and keeps it from ending it. */
export function catchLateErrors(report: (what: string, error: unknown) => void): void {
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    report("threw an error that nobody caught", event.error ?? event.message);
  });
  globalThis.addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    report("left a rejected promise unhandled", event.reason);
  });
}
