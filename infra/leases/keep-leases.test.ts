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
  vi.restoreAllMocks();
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

it('keeps what nobody took over while the process was stopped past the end, and loses what somebody did', async () => {
  const { table, renew } = spied();
  const leases = keepLeases(table, 'a', times);
  const kept = await leases.tryAcquire('kept');
  const taken = await leases.tryAcquire('taken');
  renew.mockImplementation(async (holdings) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    return new Set(holdings.map(({ name }) => name).filter((name) => name === 'kept'));
  });
  const sleptMs = 6_000;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + sleptMs);
  await vi.advanceTimersByTimeAsync(20_000);
  expect([kept?.signal.aborted, taken?.signal.aborted]).toEqual([false, true]);
});

it('waits for the table no longer than a second when it slept past the end', async () => {
  const { table, renew } = spied();
  const lease = await keepLeases(table, 'a', times).tryAcquire('work');
  renew.mockImplementation(() => new Promise(() => undefined));
  const now = performance.now.bind(performance);
  vi.spyOn(performance, 'now').mockImplementation(() => now() + 60_000);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(lease?.signal.aborted).toBe(false);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(lease?.signal.aborted).toBe(true);
});

function spied() {
  const table: LeaseTable = openMemoryLeaseTable();
  return { table, renew: vi.spyOn(table, 'renew') };
}
