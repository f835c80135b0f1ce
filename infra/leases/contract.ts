import { randomUUID } from 'node:crypto';
import { describe, expect, it, vi } from 'vitest';
import { keepLeases } from './keep-leases.ts';
import type { LeaseTable } from './port.ts';

type Opened = {
  readonly table: LeaseTable;
  /** A second connection to the same rows, as another process has. */
  readonly other: LeaseTable;
  readonly close: () => Promise<void>;
};

const longMs = 60_000;
const shortMs = 50;

/** What every lease table promises, and what leases on it do. */
export function leasesContract(name: string, open: () => Promise<Opened>): void {
  describe(`leases: ${name}`, () => {
    const within = async (body: (opened: Opened) => Promise<void>): Promise<void> => {
      const opened = await open();
      try {
        await body(opened);
      } finally {
        await opened.close();
      }
    };

    it('gives a lease to one of many who ask at the same moment', () =>
      within(async ({ table, other }) => {
        const asked = Array.from({ length: 20 }, (_, n) =>
          (n % 2 === 0 ? table : other).acquire({ name: 'work', owner: `owner ${n}`, ttlMs: longMs }),
        );
        const tokens = await Promise.all(asked);
        expect(tokens.filter((token) => token !== null)).toEqual([1]);
      }));

    it('is free again when its time is over, for a greater token', () =>
      within(async ({ table, other }) => {
        const token = await table.acquire({ name: 'work', owner: 'a', ttlMs: shortMs });
        const next = await acquiredOnceFree(other, 'work');
        expect([token, next]).toEqual([1, 2]);
      }));

    it('is not free while it is renewed, however long ago it was acquired', () =>
      within(async ({ table, other }) => {
        const [mine, clock] = [await acquire(table, 'mine', shortMs), await acquire(table, 'clock', shortMs)];
        expect(await table.renew([mine], longMs)).toEqual(new Set(['mine']));
        await acquiredOnceFree(other, clock.name);
        expect(await other.acquire({ name: 'mine', owner: 'b', ttlMs: longMs })).toBeNull();
      }));

    it('stays with a holder who is late, as long as nobody else took it', () =>
      within(async ({ table, other }) => {
        const [mine, clock] = [await acquire(table, 'mine', shortMs), await acquire(table, 'clock', shortMs)];
        await acquiredOnceFree(other, clock.name);
        expect(await table.renew([mine], longMs)).toEqual(new Set(['mine']));
        expect(await other.acquire({ name: 'mine', owner: 'b', ttlMs: longMs })).toBeNull();
      }));

    it('is neither renewed nor released by a holder of the past', () =>
      within(async ({ table, other }) => {
        const past = await acquire(table, 'work', shortMs);
        const token = await acquiredOnceFree(other, 'work');
        expect(await table.renew([past], longMs)).toEqual(new Set());
        await table.release([past]);
        expect(await table.acquire({ name: 'work', owner: 'a', ttlMs: longMs })).toBeNull();
        expect(await other.renew([{ name: 'work', token }], longMs)).toEqual(new Set(['work']));
      }));

    it('is free at once when its holder releases it', () =>
      within(async ({ table, other }) => {
        const mine = await acquire(table, 'work', longMs);
        await table.release([mine]);
        expect(await other.acquire({ name: 'work', owner: 'b', ttlMs: longMs })).toBe(2);
      }));

    it("ends all leases of a dead owner, and nobody else's", () =>
      within(async ({ table, other }) => {
        const dead = `dead ${randomUUID()}`;
        for (const name of ['x', 'y']) await table.acquire({ name, owner: dead, ttlMs: longMs });
        await acquire(table, 'z', longMs);
        await other.releaseOwner(dead);
        const taken = ['x', 'y', 'z'].map((name) => other.acquire({ name, owner: 'b', ttlMs: longMs }));
        expect(await Promise.all(taken)).toEqual([2, 2, null]);
      }));

    it('tells the holder as soon as a renewal finds that another has it', () =>
      within(async ({ table, other }) => {
        const leases = keepLeases(table, 'a', { ttlMs: longMs, renewEveryMs: 10 });
        const lease = await leases.tryAcquire('work');
        expect(await leases.tryAcquire('work')).toBeNull();
        expect(lease?.signal.aborted).toBe(false);
        await vi.waitFor(async () => {
          // A renewal in between gives it back to its late holder.
          await other.releaseOwner('a');
          await acquire(other, 'work', longMs);
        });
        await vi.waitFor(() => expect(lease?.signal.aborted).toBe(true));
      }));
  });
}

async function acquire(table: LeaseTable, name: string, ttlMs: number) {
  const token = await table.acquire({ name, owner: 'some process', ttlMs });
  if (token === null) throw new Error(`${name} is held`);
  return { name, token };
}

/** Asks until it is free: then the time of the holder is over by the table's clock. */
async function acquiredOnceFree(table: LeaseTable, name: string): Promise<number> {
  return vi.waitFor(async () => (await acquire(table, name, longMs)).token, { timeout: 5_000, interval: 5 });
}
