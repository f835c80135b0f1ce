import { setTimeout as wait } from 'node:timers/promises';

import type { Placement } from '../orders/order-bodies.ts';

/**
 * Starts placements at their scheduled times, whatever is outstanding: a system that is slow for a while gets no fewer
 * of them. A placement waits only where as many as may be are outstanding; it then counts as late, and its wait counts
 * as latency.
 */
export type OpenLoop = {
  readonly admit: (placement: Placement) => Promise<void>;
  readonly acked: (placement: Placement) => void;
  readonly late: () => number;
  /** One for each answer. */
  readonly latencies: readonly Latency[];
};

/** From the scheduled time to the answer on disk, in ms; `at` is the scheduled time, of `performance.now()`. */
export type Latency = { readonly at: number; readonly ms: number };

/** Later than a timer of a busy client may be. */
const lateAfterMs = 50;

export function openLoop(ratePerSecond: number): OpenLoop {
  const beganAt = performance.now();
  const scheduled = new Map<string, number>();
  const latencies: Latency[] = [];
  let index = 0;
  let late = 0;
  return {
    latencies,
    late: () => late,
    admit: async ({ commandId }) => {
      const at = beganAt + (index * 1_000) / ratePerSecond;
      index += 1;
      scheduled.set(commandId, at);
      const earlyMs = at - performance.now();
      if (earlyMs < -lateAfterMs) late += 1;
      if (earlyMs > 0) await wait(earlyMs);
    },
    acked: ({ commandId }) => {
      const at = scheduled.get(commandId) ?? performance.now();
      scheduled.delete(commandId);
      latencies.push({ at, ms: performance.now() - at });
    },
  };
}
