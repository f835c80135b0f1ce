import { describe, expect, it } from 'vitest';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { OrderSnapshots, SnapshotTier, SnapshotWrite } from './port.ts';

const tenantId = 'shop' as TenantId;
const orderId = 'order' as OrderId;

function write(version: number, tier: SnapshotTier, changes: Partial<SnapshotWrite> = {}): SnapshotWrite {
  const snapshot = { version, eventTime: '2026-01-01T00:00:00.000Z', body: `{"by":"${tier}"}` };
  return { tenantId, orderId, snapshot, tier, ...changes };
}

/** What every cache of order views promises. Each test opens its own. */
export function orderSnapshotsContract(name: string, open: () => Promise<OrderSnapshots>): void {
  describe(`order snapshots: ${name}`, () => {
    const openWith = async (writes: readonly SnapshotWrite[]): Promise<OrderSnapshots> => {
      const snapshots = await open();
      for (const each of writes) await snapshots.put([each]);
      return snapshots;
    };
    const read = async (snapshots: OrderSnapshots): Promise<string | null> => {
      const [found] = await snapshots.get(tenantId, [orderId]);
      await snapshots.close();
      return found === null || found === undefined ? null : `${found.version} ${found.body}`;
    };

    it('gives back in the order of the ids, null for what is not there', async () => {
      const snapshots = await openWith([write(1, 'unpaid')]);
      const found = await snapshots.get(tenantId, ['none' as OrderId, orderId]);
      expect(found).toEqual([null, write(1, 'unpaid').snapshot]);
      await snapshots.close();
    });

    it('keeps tenants apart', async () => {
      const snapshots = await openWith([write(1, 'unpaid')]);
      expect(await snapshots.get('rival' as TenantId, [orderId])).toEqual([null]);
      await snapshots.close();
    });

    it('refuses what is older and says how many it refused', async () => {
      const snapshots = await openWith([write(3, 'in-progress')]);
      expect(await snapshots.put([write(2, 'unpaid'), write(2, 'fill'), write(4, 'fulfilled')])).toBe(2);
      expect(await read(snapshots)).toBe('4 {"by":"fulfilled"}');
    });

    it('never lets a fill replace what the writer wrote at the same version', async () => {
      const snapshots = await openWith([write(3, 'in-progress')]);
      expect(await snapshots.put([write(3, 'fill')])).toBe(1);
      expect(await read(snapshots)).toBe('3 {"by":"in-progress"}');
    });

    it('lets the writer replace a fill of the same version, and itself', async () => {
      const snapshots = await openWith([write(3, 'fill')]);
      expect(await snapshots.put([write(3, 'in-progress'), write(3, 'in-progress')])).toBe(0);
      expect(await read(snapshots)).toBe('3 {"by":"in-progress"}');
    });
  });
}
