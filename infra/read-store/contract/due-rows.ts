import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Checkpoint } from '../../event-feed/port.ts';
import type { DocumentWrite } from '../port.ts';
import { alarms, position, put, tenantId, type TestedStore } from './tested-store.ts';

/** What it promises of rows that are due: each is claimed by one at a time. */
export function dueRowsContract(tested: TestedStore): void {
  const { commit } = tested;

  describe('due rows', () => {
    const past = '2020-01-01T00:00:00.000Z';
    const commitAlarms = (documents: readonly DocumentWrite[], from: Checkpoint | null, to: string) =>
      commit(documents, { view: alarms, from, to: position(to) });

    it('are claimed once within a lease, oldest first, by however many', async () => {
      const rows = Array.from({ length: 40 }, (_, index) => put(`t${index}`, { dueAt: past, note: 'x' }));
      const older = { dueAt: '2019-01-01T00:00:00.000Z', note: 'older' };
      const later = { dueAt: '2999-01-01T00:00:00.000Z', note: 'later' };
      await commitAlarms([...rows, put('later', later), put('older', older)], null, 'c1');
      const first = await tested.readStore.claimDue(alarms, { limit: 1, leaseMs: 60_000 });
      expect(first).toEqual([{ tenantId, key: 'older', document: older }]);
      const claims = Array.from({ length: 8 }, () => tested.readStore.claimDue(alarms, { limit: 7, leaseMs: 60_000 }));
      const claimed = (await Promise.all(claims)).flat().map(({ key }) => key);
      expect(new Set(claimed).size).toBe(claimed.length);
      const rest = await tested.readStore.claimDue(alarms, { limit: 100, leaseMs: 60_000 });
      expect([...claimed, ...rest.map(({ key }) => key)].sort()).toEqual(rows.map(({ key }) => key).sort());
      expect(await tested.readStore.claimDue(alarms, { limit: 100, leaseMs: 60_000 })).toEqual([]);
    });

    it('can be claimed again after the lease, and when they are due anew, not when they are written as before', async () => {
      await commitAlarms([put('t', { dueAt: past, note: 'x' })], null, 'c1');
      expect(await tested.readStore.claimDue(alarms, { limit: 1, leaseMs: 60_000 })).toHaveLength(1);
      await commitAlarms([put('t', { dueAt: past, note: 'same due' })], position('c1'), 'c2');
      expect(await tested.readStore.claimDue(alarms, { limit: 1, leaseMs: 60_000 })).toEqual([]);
      await commitAlarms([put('t', { dueAt: '2021-01-01T00:00:00.000Z', note: 'anew' })], position('c2'), 'c3');
      expect(await tested.readStore.claimDue(alarms, { limit: 1, leaseMs: 1 })).toHaveLength(1);
      // The lease of one millisecond is the clock under test.
      await sleep(5);
      expect(await tested.readStore.claimDue(alarms, { limit: 1, leaseMs: 1 })).toHaveLength(1);
    });
  });
}
