import type { BodyLimits } from "./control_body.ts";
import type { ControlTarget } from "./control_target.ts";
import type { EventStreams } from "./event_stream.ts";
import type { Metrics } from "./metrics.ts";

/** What the routes of a control lead to. */
export interface ControlWorld {
  /** The daemon. */
  readonly target: ControlTarget;
  /** Its events. */
  readonly events: EventStreams;
  /** Its metrics. */
  readonly metrics: Metrics;
  /** Whether symbols may be called. */
  readonly allowInvoke: boolean;
  /** How much a request may take. */
  readonly limits: BodyLimits;
  /** Told of what failed for no foreseen reason. */
  failed(error: unknown): void;
}
