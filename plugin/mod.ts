/**
 * The plugin's own side: what its author sees.
 *
 * @example
 * ```ts
 * import type { PluginContext } from "@hotplug/hotplug";
 *
 * export function activate(context: PluginContext): void {
 *   context.signal.addEventListener("abort", () => {});
 * }
 * ```
 *
 * @module
 */

export type { PluginContext } from "./context.ts";
export type { LogMethod, PluginLogger } from "./logger.ts";
export { decode, encode } from "./codec.ts";
export type { Packet } from "./codec.ts";
export { Connection } from "./connection.ts";
export type { Functions, Send } from "./connection.ts";
export { EXECUTABLE_ENTRY, executableFiles } from "./executable_entry.ts";
export { isUnusable } from "./is_unusable.ts";
export { answerOf, isFetchHandler, receiveResponse, sendRequest } from "./http_message.ts";
export type {
  FetchHandler,
  FetchInfo,
  PinBody,
  SentRequest,
  SentResponse,
} from "./http_message.ts";
export type { Message } from "./message.ts";
export { encodeFrame, FrameReader, HELLO_MARK, markOf } from "./frames.ts";
export type { Frame } from "./frames.ts";
export { HOST_TEXT } from "./_host_text.ts";
export { LogBudget } from "./log_budget.ts";
export { FrameKind, HOST_ARGUMENT, PROTOCOL_VERSIONS } from "./protocol.ts";
export type {
  ChildHello,
  ExportedValue,
  HostHello,
  LoadedExports,
  LoadRequest,
  LogLevel,
  LogRecord,
  LogSource,
  Pong,
  SentContext,
} from "./protocol.ts";
export { OwnRequest, OwnResponse } from "./own_http.ts";
export { headersToSend, ownResponse, responseAnew } from "./response_anew.ts";
export { runtimeSymbol } from "./runtime_symbol.ts";
export { fromPort, toPort } from "./port_message.ts";
export type { PortMessage } from "./port_message.ts";
export type { WorkerHello } from "./serve_worker.ts";
