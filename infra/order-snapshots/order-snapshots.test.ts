import { describe, expect, it } from 'vitest';
import type { OrderId } from '../../schemas/ids.ts';
import type { Checkpoint } from '../event-feed/port.ts';
import { orderSnapshotsContract } from './contract.ts';
import { aSnapshot, tenantId, write } from './examples.ts';
import { openMemoryOrderSnapshots, type MemoryOrderSnapshotsOptions } from './memory/memory-order-snapshots.ts';
import { openOrderSnapshots } from './open.ts';
import type { OrderSnapshots } from './port.ts';

orderSnapshotsContract('memory', async () => {
  const snapshots = openOrderSnapshots();
  await snapshots.beginWriting();
  return snapshots;
});

async function openMemory(options: MemoryOrderSnapshotsOptions = {}): Promise<OrderSnapshots> {
  const snapshots = openMemoryOrderSnapshots(options);
  await snapshots.beginWriting();
  return snapshots;
}

async function isThere(snapshots: OrderSnapshots, id: string): Promise<boolean> {
  return (await snapshots.get(tenantId, [id as OrderId]))[0] !== null;
}

const a = 'a' as OrderId;

describe('snapshots in memory', () => {
  it.each([
    ['fill', 30_000],
    ['unpaid', 15 * 60_000],
    ['in-progress', 24 * 3_600_000],
    ['fulfilled', 72 * 3_600_000],
  ] as const)('keeps what is %s for %i ms and no longer', async (tier, lifeMs) => {
    let nowMs = 1;
    const snapshots = await openMemory({ now: () => nowMs });
    await snapshots.put([write(1, tier, { orderId: a })]);
    nowMs += lifeMs - 1_000;
    expect(await isThere(snapshots, 'a')).toBe(true);
    nowMs += 2_000;
    expect(await isThere(snapshots, 'a')).toBe(false);
  });

  it('holds no more entries and bytes than its bounds', async () => {
    const abc = (body: string) =>
      ['a', 'b', 'c'].map((id) => write(1, 'unpaid', { orderId: id as OrderId, snapshot: aSnapshot(1, body) }));
    const few = await openMemory({ entriesMax: 2 });
    await few.put(abc('{}'));
    expect([await isThere(few, 'a'), await isThere(few, 'c')]).toEqual([false, true]);
    const small = await openMemory({ bytesMax: 10_000 });
    await small.put(abc('x'.repeat(4_000)));
    expect([await isThere(small, 'a'), await isThere(small, 'c')]).toEqual([false, true]);
  });

  it('forgets all when its writer begins again or stops, and takes nothing without one: nobody would correct it', async () => {
    const snapshots = openMemoryOrderSnapshots();
    await snapshots.put([write(1, 'fill', { orderId: a })]);
    expect(await isThere(snapshots, 'a')).toBe(false);
    const first = await snapshots.beginWriting();
    await first.put([write(1, 'fulfilled', { orderId: a })], { epoch: 'e', checkpoint: 'c' as Checkpoint });
    expect(await isThere(snapshots, 'a')).toBe(true);
    const second = await snapshots.beginWriting();
    expect([first.lost.aborted, second.mark, await isThere(snapshots, 'a')]).toEqual([true, null, false]);
    await snapshots.put([write(1, 'fill', { orderId: a })]);
    await first.end();
    expect(await isThere(snapshots, 'a')).toBe(true);
    await second.end();
    expect(await isThere(snapshots, 'a')).toBe(false);
  });
});
