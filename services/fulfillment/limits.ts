/** Every bound of the fulfillment process. */
export type FulfillmentLimits = {
  /** Sagas whose step is being called at the same time. */
  readonly drivesMax: number;
  /** Sagas that wait for their turn; then the order feed is not read on, and the watchdog finds the rest. */
  readonly waitingMax: number;
  /** Steps of one drive: more is a bug, and the watchdog tries again. */
  readonly stepsPerDriveMax: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  readonly deliveryCheckFirstMs: number;
  readonly deliveryCheckMaxMs: number;
  /** Events of one batch of the order feed, and streams of it told at the same time. */
  readonly batchMax: number;
  readonly streamsMax: number;
  readonly timersEveryMs: number;
  /** Due timers claimed at once, and for how long another process does not see them. */
  readonly timersMax: number;
  readonly timerLeaseMs: number;
  readonly watchdogEveryMs: number;
  /** A saga that stands still so long is driven again. */
  readonly staleMs: number;
  /** Sagas driven again in one round. */
  readonly redrivesMax: number;
  /** How long the end of `run` waits for the calls in flight. */
  readonly drainMs: number;
};

export const defaultLimits: FulfillmentLimits = {
  // Below the bulkhead of a gateway (64): our own crowd must not look like its failure.
  drivesMax: 48,
  waitingMax: 1_024,
  stepsPerDriveMax: 100,
  retryFirstMs: 500,
  retryMaxMs: 60_000,
  deliveryCheckFirstMs: 250,
  deliveryCheckMaxMs: 3_600_000,
  batchMax: 500,
  streamsMax: 32,
  timersEveryMs: 200,
  timersMax: 200,
  timerLeaseMs: 5_000,
  watchdogEveryMs: 2_000,
  staleMs: 2_000,
  redrivesMax: 1_000,
  drainMs: 5_000,
};

/** Doubles from the first to the greatest wait; half of it is random, so that what failed together comes back apart. */
export function waitMs(range: { readonly firstMs: number; readonly maxMs: number }, before: number, random: number) {
  return Math.round(Math.min(range.maxMs, range.firstMs * 2 ** Math.min(before, 40)) * (0.5 + random / 2));
}
