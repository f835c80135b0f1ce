import { setTimeout as wait } from 'node:timers/promises';

import type { SupervisedRole } from './supervised-role.ts';

/** How far followers of the log are behind it, by their own metrics. */
export type Lag = {
  /** Age of the oldest event that one has not handled. */
  readonly seconds: ReadonlyMap<string, number>;
  readonly events: ReadonlyMap<string, number>;
};

/** A process samples its lag at most so often: a sooner question gets the old answer. */
export const freshAfterMs = 2_050;

/** null: no process of the role answers. */
export async function readLag(instances: readonly SupervisedRole[]): Promise<Lag | null> {
  for (const instance of instances) {
    const process = instance.current();
    const kind = instance.role === 'projector' ? 'projection' : 'consumer';
    const seconds = (await process?.metric(`${kind}_lag_seconds`)) ?? null;
    const events = (await process?.metric(`${kind}_lag_events`)) ?? null;
    if (seconds !== null && events !== null && seconds.size > 0) return { seconds, events };
  }
  return null;
}

export function mostSeconds({ seconds }: Lag): number {
  return Math.max(...seconds.values());
}

export function mostEvents({ events, seconds }: Lag): number {
  return events.size < seconds.size ? Infinity : Math.max(...events.values());
}

export type Awaiting = {
  readonly isThere: (lag: Lag) => boolean;
  /** Of `performance.now()`; asked once more at it. */
  readonly deadline: number;
};

/** @returns when it was there, of `performance.now()`, at the earliest answer that says so; null: not in time */
export async function awaitLag(
  instances: readonly SupervisedRole[],
  { isThere, deadline }: Awaiting,
): Promise<number | null> {
  for (;;) {
    const lag = await readLag(instances);
    if (lag !== null && isThere(lag)) return performance.now();
    const left = deadline - performance.now();
    if (left <= 0) return null;
    await wait(Math.min(freshAfterMs, Math.max(left, 50)));
  }
}

/** As `order-summary 12, order-snapshots 40`; those that are behind alone. */
export function namesBehind({ events }: Lag): string {
  const behind = [...events].filter(([, count]) => count > 0);
  return behind.map(([labels, count]) => `${/"(.*)"/.exec(labels)?.[1] ?? labels} ${count}`).join(', ') || 'none';
}
