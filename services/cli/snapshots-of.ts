import { setTimeout as sleep } from 'node:timers/promises';

import { openOrderSnapshots } from '../../infra/order-snapshots/open.ts';
import type { OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';

/** A cache that is there is connected by then; one that is not there is told by its first answer. */
const connectMs = 2_000;
const lookEveryMs = 10;

/**
 * The snapshots that processes share, closed by `stack`.
 * @returns null where each process has a cache of its own, which no other can reach
 */
export async function openSharedSnapshots(
  cacheUrl: string | null,
  stack: AsyncDisposableStack,
  options: Parameters<typeof openOrderSnapshots>[1] = {},
): Promise<OrderSnapshots | null> {
  if (cacheUrl === null || cacheUrl.startsWith('memory:')) return null;
  const snapshots = openOrderSnapshots(cacheUrl, options);
  stack.defer(() => snapshots.close());
  const giveUpAt = Date.now() + connectMs;
  while (!snapshots.status().isUp && Date.now() < giveUpAt) await sleep(lookEveryMs);
  return snapshots;
}

/** Drops all: readers fill what they ask for, and the writer goes on from its checkpoint. Throws SNAPSHOTS_UNAVAILABLE. */
export async function dropSnapshots(snapshots: OrderSnapshots): Promise<void> {
  const writing = await snapshots.beginWriting();
  try {
    await writing.clear();
  } finally {
    await writing.end();
  }
}

/**
 * Drops one order's. A writer that runs may remember what it folded from the wrong document: taking its hold makes it
 * begin anew. Throws SNAPSHOTS_UNAVAILABLE.
 */
export async function dropSnapshotOf(snapshots: OrderSnapshots, tenantId: TenantId, orderId: OrderId): Promise<void> {
  const writing = await snapshots.beginWriting();
  try {
    if (writing.mark !== null) await writing.put([], writing.mark);
    await snapshots.remove(tenantId, [orderId]);
  } finally {
    await writing.end();
  }
}
