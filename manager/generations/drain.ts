/** How a drain went. */
export interface Drain {
  /** Whether there was nothing to it: nobody held it, and it has nothing to deactivate. */
  readonly idle: boolean;
  /** Whether its time was over before the last hold ended. */
  readonly forced: boolean;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
}
