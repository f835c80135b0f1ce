import { expect, it } from 'vitest';

import { snapshotWriter, type SnapshotTier, type StoredSnapshot } from '../../../infra/order-snapshots/port.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { snapshotsEnd } from './invariants/i21-snapshots-end.ts';
import { snapshotsFollowTheLog } from './invariants/i35-snapshots-follow-the-log.ts';
import { cacheOf, found, goodHistory, history, order, orderId, snapshotOf, tenantId, viewsOf } from './test-history.ts';

const good = history(goodHistory);
const ofOrder = good.filter(({ stream }) => stream === order);

function snapshotAt(version: number, tier: SnapshotTier, change: Partial<StoredSnapshot> = {}): StoredSnapshot {
  const snapshot = snapshotOf(ofOrder.slice(0, version));
  return { tenantId, orderId, snapshot, tier, leftMs: 1_000, ...change };
}

/** Views whose snapshot writer has reached the end of the log. */
async function written() {
  const views = await viewsOf(good);
  const to = good.at(-1)?.position ?? ('' as Position);
  await views.moveCheckpoint({ consumer: snapshotWriter, partition: 'log', from: null, to });
  return views;
}

it('I21 finds snapshots without an end, and beyond the life of their tier', async () => {
  const snapshots = cacheOf(
    snapshotAt(1, 'unpaid'),
    snapshotAt(1, 'unpaid', { leftMs: null }),
    snapshotAt(1, 'fill', { leftMs: 30_001 }),
  );
  expect(await found(snapshotsEnd, good, { snapshots })).toEqual({
    checked: 3,
    violations: [`the snapshot of order ${orderId} never ends`, `the fill snapshot of ${orderId} has 30001 ms left`],
  });
});

it('I35 takes current snapshots, late fills, and those that the writer has not come to', async () => {
  const current = snapshotAt(ofOrder.length, 'fulfilled');
  const snapshots = cacheOf(current, snapshotAt(1, 'fill'));
  expect(await found(snapshotsFollowTheLog, good, { snapshots, views: await written() })).toEqual({
    checked: 2,
    violations: [],
  });
  const behind = cacheOf(snapshotAt(1, 'unpaid'));
  expect(await found(snapshotsFollowTheLog, good, { snapshots: behind })).toEqual({ checked: 1, violations: [] });
});

it('I35 finds what the writer passed, what is not the fold, and what never was', async () => {
  const other = snapshotAt(2, 'fill');
  const forged = { ...other, snapshot: { ...other.snapshot, body: Buffer.from('{}') } };
  const future = { ...other, snapshot: { ...other.snapshot, version: 99 } };
  const snapshots = cacheOf(snapshotAt(1, 'unpaid'), forged, future);
  expect(await found(snapshotsFollowTheLog, good, { snapshots, views: await written() })).toEqual({
    checked: 3,
    violations: [
      `the snapshot of order ${orderId} is at version 1, and the writer is past a later one`,
      `the snapshot of order ${orderId} is not its fold at version 2`,
      `the snapshot of order ${orderId} is at version 99, which the log does not have`,
    ],
  });
});

it('neither takes a cache that nobody shares, or that is empty, for a pass', async () => {
  for (const invariant of [snapshotsEnd, snapshotsFollowTheLog]) {
    expect(await found(invariant, good)).toHaveProperty('notChecked');
    expect(await found(invariant, good, { snapshots: cacheOf() })).toHaveProperty('notChecked');
  }
});
