import { describe, expect, it } from 'vitest';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { orderSnapshotsContract } from './contract.ts';
import { openMemoryOrderSnapshots } from './memory/memory-order-snapshots.ts';
import { openOrderSnapshots } from './open.ts';
import type { OrderSnapshots, SnapshotTier, SnapshotWrite } from './port.ts';

orderSnapshotsContract('memory', () => Promise.resolve(openOrderSnapshots()));

const tenantId = 'shop' as TenantId;

function write(id: string, tier: SnapshotTier, body = '{}'): SnapshotWrite {
  return { tenantId, orderId: id as OrderId, snapshot: { version: 1, eventTime: 'now', body }, tier };
}

async function isThere(snapshots: OrderSnapshots, id: string): Promise<boolean> {
  return (await snapshots.get(tenantId, [id as OrderId]))[0] !== null;
}

describe('snapshots in memory', () => {
  it.each([
    ['fill', 30_000],
    ['unpaid', 15 * 60_000],
    ['in-progress', 24 * 3_600_000],
    ['fulfilled', 72 * 3_600_000],
  ] as const)('keeps what is %s for %i ms and no longer', async (tier, lifeMs) => {
    let nowMs = 1;
    const snapshots = openMemoryOrderSnapshots({ now: () => nowMs });
    await snapshots.put([write('a', tier)]);
    nowMs += lifeMs - 1_000;
    expect(await isThere(snapshots, 'a')).toBe(true);
    nowMs += 2_000;
    expect(await isThere(snapshots, 'a')).toBe(false);
  });

  it('holds no more entries and bytes than its bounds', async () => {
    const few = openMemoryOrderSnapshots({ entriesMax: 2 });
    await few.put(['a', 'b', 'c'].map((id) => write(id, 'unpaid')));
    expect([await isThere(few, 'a'), await isThere(few, 'c')]).toEqual([false, true]);
    const small = openMemoryOrderSnapshots({ bytesMax: 10_000 });
    await small.put(['a', 'b', 'c'].map((id) => write(id, 'unpaid', 'x'.repeat(2_000))));
    expect([await isThere(small, 'a'), await isThere(small, 'c')]).toEqual([false, true]);
  });

  it('forgets all when its writer lost its place: nobody would correct it', async () => {
    const snapshots = openMemoryOrderSnapshots();
    await snapshots.put([write('a', 'fulfilled')]);
    await snapshots.writerRestarted();
    expect(await isThere(snapshots, 'a')).toBe(false);
  });
});
