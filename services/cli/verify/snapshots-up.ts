import { setTimeout as wait } from 'node:timers/promises';

import type { OrderSnapshots } from '../../../infra/order-snapshots/port.ts';

export type VerifiedSnapshots = Pick<OrderSnapshots, 'scan' | 'status'>;

/** A cache that is there has connected by then: it was opened before the log was read. */
const connectedWithinMs = 5_000;
const lookEveryMs = 20;

/** Snapshots that answer, or why there are none to check. */
export async function snapshotsToCheck(
  snapshots: VerifiedSnapshots | null,
): Promise<VerifiedSnapshots | { readonly notChecked: string }> {
  if (snapshots === null) return { notChecked: 'CACHE_URL names no Redis; a cache in a process cannot be looked into' };
  const deadline = performance.now() + connectedWithinMs;
  while (!snapshots.status().isUp) {
    if (performance.now() > deadline) return { notChecked: 'the Redis of CACHE_URL does not answer' };
    await wait(lookEveryMs);
  }
  return snapshots;
}
