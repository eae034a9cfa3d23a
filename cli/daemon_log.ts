import { configure, type LogRecord, reset } from "@logtape/logtape";
import { type DaemonEvent, LOG_LEVELS, type LogLevel } from "../daemon/mod.ts";
import { formatEvent } from "./format_event.ts";
import { inspected, jsonLine } from "./json_line.ts";
import { plainProperties } from "../plugin/plain_properties.ts";
import { printable } from "./printable.ts";

/** How a daemon's log is written. */
export interface LogStyle {
  /** One JSON object a line, or lines for people. */
  readonly format: "pretty" | "json";
  /** Whether lines for people have colours. */
  readonly colour: boolean;
  /** Whether events are left out: they are printed elsewhere. */
  readonly withoutEvents: boolean;
  /** From what weight on something is written; asked for each record. */
  level(): LogLevel;
  /** Writes a line, with its end. */
  write(line: string): void;
}

/** Lets all that hotplug and its plugins log be written, until disposed of. */
export async function startLog(style: LogStyle): Promise<AsyncDisposable> {
  const out = (record: LogRecord): void => {
    const { level } = record;
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(style.level())) return;
    const line = safeLineOf(record, style);
    if (line !== undefined) style.write(line);
  };
  await configure({
    reset: true,
    sinks: { out },
    loggers: [
      { category: ["hotplug"], sinks: ["out"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], sinks: ["out"], lowestLevel: "error" },
    ],
  });
  return { [Symbol.asyncDispose]: () => reset() };
}

/** What a plugin has logged inline is looked at only here, and may throw then. */
function safeLineOf(record: LogRecord, style: LogStyle): string | undefined {
  try {
    return lineOf(record, style);
  } catch {
    const { category, level, rawMessage, timestamp } = record;
    const message = [String(rawMessage)];
    return lineOf({ category, level, rawMessage, timestamp, message, properties: {} }, style);
  }
}

function lineOf(record: LogRecord, style: LogStyle): string | undefined {
  const event = eventOf(record);
  if (event && style.withoutEvents) return undefined;
  if (style.format === "json") return `${jsonLine(jsonOf(record, event))}\n`;
  return event ? formatEvent(event, style.colour) : prettyLine(record);
}

function eventOf({ category, properties }: LogRecord): DaemonEvent | undefined {
  const own = category[0] === "hotplug" && category[1] === "daemon";
  return own ? properties.event as DaemonEvent | undefined : undefined;
}

function jsonOf(record: LogRecord, event: DaemonEvent | undefined): Record<string, unknown> {
  const { level, category, timestamp } = record;
  const logger = category.join(".");
  if (event) {
    // Whoever sifts lines by `level` means how grave they are, not how much memory there is.
    const { level: eventLevel, ...rest } = { level: undefined, ...event };
    return { level, logger, ...rest, ...(eventLevel !== undefined && { eventLevel }) };
  }
  const time = new Date(timestamp).toISOString();
  return {
    level,
    logger,
    time,
    type: "log",
    message: messageOf(record),
    properties: propertiesOf(record),
  };
}

function prettyLine(record: LogRecord): string {
  const { timestamp, level, category } = record;
  const time = new Date(timestamp).toISOString().slice(11);
  const about = printable(messageOf(record)).replaceAll("\n", "\n    ");
  return `${time}  ${level.padEnd(8)}  ${printable(category.slice(1).join("."))}: ${about}\n`;
}

function messageOf(record: LogRecord): string {
  return record.message
    .map((part, index) => index % 2 === 0 ? String(part) : textOf(partOf(record, part)))
    .join("");
}

function textOf(part: unknown): string {
  return typeof part === "string" ? part : inspected(part);
}

/** Some of these fit into what is kept for who reads slowly. */
const MOST_CHARACTERS = 256 * 1024;

/** Inline a plugin's record holds its own objects; of a worker or a process it is plain already. */
function isPlugins({ category }: LogRecord): boolean {
  return category[0] === "hotplug" && category[1] === "plugin";
}

function partOf(record: LogRecord, part: unknown): unknown {
  return isPlugins(record) ? plainProperties({ part }, MOST_CHARACTERS).part : part;
}

function propertiesOf(record: LogRecord): Record<string, unknown> {
  if (!isPlugins(record)) return record.properties;
  const { plugin, scn, source, ...own } = record.properties;
  // What is added to a plugin's own leaves it as it is.
  const added = plainProperties({ plugin, scn, ...(source !== undefined && { source }) });
  return { ...added, ...plainProperties(own, MOST_CHARACTERS) };
}
