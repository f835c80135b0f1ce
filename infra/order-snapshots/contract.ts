import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { Checkpoint } from '../event-feed/port.ts';
import { aSnapshot, idAndVersion, orderId, tenantId, write } from './examples.ts';
import { snapshotLifeMs } from './lives.ts';
import type { OrderSnapshots, SnapshotTier, SnapshotWrite, StoredSnapshot, WriterMark } from './port.ts';

const mark: WriterMark = { epoch: 'epoch', checkpoint: 'c1' as Checkpoint };
const rival = 'rival' as TenantId;

/** What every cache of order views promises. Each test opens its own, empty; a writer has begun. */
export function orderSnapshotsContract(name: string, open: () => Promise<OrderSnapshots>): void {
  describe(`order snapshots: ${name}`, () => {
    const openWith = async (writes: readonly SnapshotWrite[]): Promise<OrderSnapshots> => {
      const snapshots = await open();
      for (const each of writes) await snapshots.put([each]);
      return snapshots;
    };
    const read = async (snapshots: OrderSnapshots): Promise<string | null> => {
      const [found] = await snapshots.get(tenantId, [orderId]);
      return found === null || found === undefined ? null : `${found.version} ${found.body.toString()}`;
    };

    it('gives back in the order of the ids, null for what is not there', async () => {
      const snapshots = await openWith([write(1, 'unpaid')]);
      const found = await snapshots.get(tenantId, ['none' as OrderId, orderId]);
      expect(found).toEqual([null, write(1, 'unpaid').snapshot]);
      expect(await snapshots.get(tenantId, [])).toEqual([]);
    });

    it('gives back every byte of the body, the time as it was written, and whether the order is parked', async () => {
      const snapshot = { ...aSnapshot(7), eventTime: '2026-02-28T23:59:59.123456Z', parked: true };
      const body = Buffer.from('{"name":"\u00e4\u2028\u{1f375}\\u0000"}');
      const snapshots = await openWith([write(7, 'unpaid', { snapshot: { ...snapshot, body } })]);
      expect(await snapshots.get(tenantId, [orderId])).toEqual([{ ...snapshot, body }]);
    });

    it('keeps tenants apart', async () => {
      const snapshots = await openWith([write(1, 'unpaid')]);
      expect(await snapshots.get(rival, [orderId])).toEqual([null]);
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

    it('never lets a version go back, whoever writes in whichever order', async () => {
      const snapshots = await open();
      let turn = 0;
      const tiers: readonly SnapshotTier[] = ['fill', 'unpaid', 'in-progress', 'fulfilled'];
      const someWrites = fc.array(fc.record({ version: fc.integer({ min: 1, max: 6 }), tier: fc.constantFrom(...tiers) }), { minLength: 1, maxLength: 12 }); // prettier-ignore
      await fc.assert(
        fc.asyncProperty(fc.array(someWrites, { minLength: 1, maxLength: 4 }), async (writers) => {
          const id = `order-${(turn += 1)}` as OrderId;
          const calls = writers.map((own) => own.map(({ version, tier }) => write(version, tier, { orderId: id })));
          const all = calls.flat();
          const seen: number[] = [];
          await Promise.all(
            calls.map(async (own) => {
              for (const each of own) {
                await snapshots.put([each]);
                seen.push((await snapshots.get(tenantId, [id]))[0]?.version ?? 0);
              }
            }),
          );
          expect(seen).toEqual([...seen].sort((a, b) => a - b));
          expect(seen.at(-1)).toBe(Math.max(...all.map(({ snapshot }) => snapshot.version)));
        }),
        { numRuns: 40 },
      );
    });

    it('keeps each snapshot for the life of its tier, and tells all of them with what is left', async () => {
      const tiers: readonly SnapshotTier[] = ['fill', 'unpaid', 'in-progress', 'fulfilled'];
      const writes = tiers.map((tier, index) => write(index + 1, tier, { orderId: tier as string as OrderId }));
      const snapshots = await openWith([...writes, write(9, 'unpaid', { tenantId: rival })]);
      const stored = await storedIn(snapshots);
      expect(stored.map(idAndVersion).sort()).toEqual(['rival order 9', 'shop fill 1', 'shop fulfilled 4', 'shop in-progress 3', 'shop unpaid 2']); // prettier-ignore
      for (const { tier, leftMs } of stored) {
        expect(leftMs).toBeLessThanOrEqual(snapshotLifeMs[tier]);
        expect(leftMs).toBeGreaterThan(snapshotLifeMs[tier] - 20_000);
      }
      const { leftMs, ...first } = stored.find(({ tier }) => tier === 'fulfilled') ?? { leftMs: 0 };
      expect([first, typeof leftMs]).toEqual([writes[3], 'number']);
    });

    it('forgets single orders, whatever their version', async () => {
      const snapshots = await openWith([write(3, 'fulfilled'), write(1, 'unpaid', { orderId: 'other' as OrderId })]);
      await snapshots.remove(tenantId, [orderId, 'none' as OrderId]);
      await snapshots.remove(rival, ['other' as OrderId]);
      expect((await storedIn(snapshots)).map(idAndVersion)).toEqual(['shop other 1']);
      expect(await snapshots.put([write(1, 'unpaid')])).toBe(0);
    });

    it('takes and tells more snapshots than one call holds', async () => {
      const snapshots = await open();
      const ids = Array.from({ length: 1_234 }, (_, index) => `order-${index}` as OrderId);
      const writes = ids.map((id) => write(2, 'unpaid', { orderId: id }));
      const writing = await snapshots.beginWriting();
      expect(await writing.put(writes, mark)).toBe(0);
      expect(await snapshots.put(writes.map((each) => ({ ...each, tier: 'fill' })))).toBe(1_234);
      expect(await snapshots.get(tenantId, ids)).toEqual(writes.map(({ snapshot }) => snapshot));
      expect(new Set((await storedIn(snapshots)).map(idAndVersion)).size).toBe(1_234);
      await writing.clear();
      expect(await storedIn(snapshots)).toEqual([]);
    });

    it('refuses a writer after another one took over and wrote', async () => {
      const snapshots = await open();
      const first = await snapshots.beginWriting();
      await first.put([write(1, 'unpaid')], mark);
      const second = await snapshots.beginWriting();
      await second.put([write(2, 'unpaid')], mark);
      await snapshots.remove(tenantId, [orderId]);
      const late = first.put([write(1, 'fulfilled')], mark);
      await expect(late).rejects.toMatchObject({ code: 'SNAPSHOTS_UNAVAILABLE', retryable: true });
      expect(await read(snapshots)).toBeNull();
      expect(await second.put([write(3, 'unpaid')], mark)).toBe(0);
    });
  });
}

async function storedIn(snapshots: OrderSnapshots): Promise<StoredSnapshot[]> {
  const stored: StoredSnapshot[] = [];
  for await (const each of snapshots.scan()) stored.push(each);
  return stored;
}
