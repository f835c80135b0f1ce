import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { OperationalFailure } from '../failures.ts';
import { keepLeases } from './keep-leases.ts';
import { openMemoryLeaseTable } from './memory/memory-lease-table.ts';
import type { LeaseTable } from './port.ts';

const times = { ttlMs: 4_000, renewEveryMs: 1_000 };
const unavailable = new OperationalFailure('VIEWS_UNAVAILABLE', 'a cable', { retryable: true });

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('outlives a table that does not answer until the end of the lease, and not a moment longer', async () => {
  const { table, renew } = spied();
  const lease = await keepLeases(table, 'a', times).tryAcquire('work');
  await vi.advanceTimersByTimeAsync(10_000);
  expect(lease?.signal.aborted).toBe(false);
  renew.mockRejectedValue(unavailable);
  await vi.advanceTimersByTimeAsync(2_900);
  expect(lease?.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1_100);
  expect(lease?.signal.aborted).toBe(true);
});

it('loses nothing by one renewal that fails', async () => {
  const { table, renew } = spied();
  const lease = await keepLeases(table, 'a', times).tryAcquire('work');
  renew.mockRejectedValueOnce(unavailable);
  await vi.advanceTimersByTimeAsync(20_000);
  expect(lease?.signal.aborted).toBe(false);
});

it('counts the lease from before it asked, so that the holder never believes in it longer than the table', async () => {
  const { table, renew } = spied();
  const lease = await keepLeases(table, 'a', times).tryAcquire('work');
  renew.mockImplementationOnce(async (holdings) => {
    const kept = new Set(holdings.map(({ name }) => name));
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    return kept;
  });
  renew.mockImplementation(() => new Promise(() => undefined));
  await vi.advanceTimersByTimeAsync(4_900);
  expect(lease?.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(200);
  expect(lease?.signal.aborted).toBe(true);
});

it('asks once a second for all leases together, and not at all for none', async () => {
  const { table, renew } = spied();
  const leases = keepLeases(table, 'a', times);
  const held = [await leases.tryAcquire('x'), await leases.tryAcquire('y'), await leases.tryAcquire('z')];
  await vi.advanceTimersByTimeAsync(5_100);
  expect(renew).toHaveBeenCalledTimes(5);
  for (const lease of held) await lease?.release();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(renew).toHaveBeenCalledTimes(5);
});

it('does not tell of a loss what was released, or what another acquired of this process later', async () => {
  const { table } = spied();
  const leases = keepLeases(table, 'a', times);
  const first = await leases.tryAcquire('work');
  await first?.release();
  const second = await leases.tryAcquire('work');
  await first?.release();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([first?.signal.aborted, second?.signal.aborted]).toEqual([false, false]);
  expect(await leases.tryAcquire('work')).toBeNull();
});

function spied() {
  const table: LeaseTable = openMemoryLeaseTable();
  return { table, renew: vi.spyOn(table, 'renew') };
}
