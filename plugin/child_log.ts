import { LogBudget, MAX_RECORD } from "./log_budget.ts";
import type { LogRecord } from "./protocol.ts";

/** The records of a child, cut and counted, on their way to the host. */
export function childLog(send: (record: LogRecord) => void): (record: LogRecord) => void {
  const budget = new LogBudget();
  let telling: ReturnType<typeof setTimeout> | undefined;
  const tellDropped = (): void => {
    telling = undefined;
    const dropped = budget.takeDropped();
    if (dropped > 0) send({ level: "warning", source: "console", message: "", dropped });
  };
  return (record) => {
    const { message, properties } = record;
    if (message.length > MAX_RECORD) budget.drop(message.length - MAX_RECORD);
    const text = message.slice(0, MAX_RECORD);
    const beside = properties ? sizeOf(properties) : 0;
    if (budget.take(text.length + beside + 64)) {
      const dropped = budget.takeDropped();
      send({ ...record, message: text, ...(dropped > 0 && { dropped }) });
    } else if (telling === undefined) {
      // Told once in a while, and at the next record that comes through.
      telling = setTimeout(tellDropped, 1000);
      Deno.unrefTimer(telling);
    }
  };
}

/** How long it is as JSON: no more than that is to be told to the host. */
function sizeOf(properties: Readonly<Record<string, unknown>>): number {
  try {
    return JSON.stringify(properties).length;
  } catch {
    // The plugin has spoilt it, and is not to fail for what it logs.
    return MAX_RECORD;
  }
}
