/** Writes one record: a message, with the properties that it names in braces. */
export type LogMethod = (message: string, properties?: Record<string, unknown>) => void;

/** What a plugin logs with: as much of a LogTape logger as is the same wherever the plugin runs. */
export interface PluginLogger {
  /** What helps to follow the code, step by step. */
  readonly trace: LogMethod;
  /** What helps to find a fault. */
  readonly debug: LogMethod;
  /** What is worth knowing. */
  readonly info: LogMethod;
  /** What may become a fault. */
  readonly warn: LogMethod;
  /** What has failed. */
  readonly error: LogMethod;
  /** What can't go on. */
  readonly fatal: LogMethod;
}
