import { expect, it, vi } from 'vitest';
import { OperationalFailure } from '../failures.ts';
import { keepLeases } from './keep-leases.ts';
import { openMemoryLeaseTable } from './memory/memory-lease-table.ts';
import type { Leases } from './port.ts';
import { runLeased, type LeaseChange } from './run-leased.ts';

const unavailable = new OperationalFailure('VIEWS_UNAVAILABLE', 'a cable', { retryable: true });

it('waits while another works, and takes over when that one ends', async () => {
  const { leases } = twoProcesses();
  const first = worker(leases[0]);
  await vi.waitFor(() => expect(first.isWorking()).toBe(true));
  const second = worker(leases[1]);
  await vi.waitFor(() => expect(second.asked()).toBeGreaterThan(2));
  expect(second.tokens).toEqual([]);
  await first.stop();
  await vi.waitFor(() => expect(second.tokens).toEqual([2]));
  await second.stop();
});

it('ends the work when the lease is lost, and starts over when it has it again', async () => {
  const { leases, table } = twoProcesses();
  const first = worker(leases[0]);
  await vi.waitFor(() => expect(first.tokens).toEqual([1]));
  const thief = await vi.waitFor(async () => {
    // A renewal in between gives it back to its late holder.
    await table.releaseOwner('0');
    const lease = await leases[1].tryAcquire('work');
    if (lease === null) throw new Error('not yet');
    return lease;
  });
  await vi.waitFor(() => expect(first.isWorking()).toBe(false));
  expect(first.changes.map(({ what }) => what)).toEqual(['held', 'lost']);
  await thief.release();
  await vi.waitFor(() => expect(first.tokens).toEqual([1, thief.token + 1]));
  await first.stop();
  expect(first.changes.at(-1)).toEqual({ lease: 'work', what: 'released' });
});

it('gives the lease up and tries again after a failure that may pass', async () => {
  const { leases, table } = twoProcesses();
  const first = worker(leases[0], () => Promise.reject(unavailable));
  await vi.waitFor(() => expect(first.tokens.length).toBeGreaterThan(2));
  await first.stop();
  expect(first.changes).toContainEqual({ lease: 'work', what: 'failed', failure: unavailable });
  expect(await table.acquire({ name: 'work', owner: 'b', ttlMs: 1 })).not.toBeNull();
});

it('rejects with a bug of the work, and leaves the lease free', async () => {
  const { leases, table } = twoProcesses();
  const bug = new Error('a bug');
  const first = worker(leases[0], () => Promise.reject(bug));
  await expect(first.ended).rejects.toBe(bug);
  expect(await table.acquire({ name: 'work', owner: 'b', ttlMs: 1 })).toBe(2);
});

it('waits for a table that does not answer, and tells it once', async () => {
  const { leases } = twoProcesses();
  const tryAcquire = vi.spyOn(leases[0], 'tryAcquire');
  for (let n = 0; n < 3; n += 1) tryAcquire.mockRejectedValueOnce(unavailable);
  const first = worker(leases[0]);
  await vi.waitFor(() => expect(first.isWorking()).toBe(true));
  expect(first.changes.map(({ what }) => what)).toEqual(['unreachable', 'held']);
  await first.stop();
});

it('ends when its work is done', async () => {
  const { leases } = twoProcesses();
  await worker(leases[0], () => Promise.resolve()).ended;
  expect(await leases[1].tryAcquire('work')).not.toBeNull();
});

function twoProcesses() {
  const table = openMemoryLeaseTable();
  const times = { ttlMs: 60_000, renewEveryMs: 5 };
  return { table, leases: [keepLeases(table, '0', times), keepLeases(table, '1', times)] as const };
}

type Work = (signal: AbortSignal) => Promise<void>;

function worker(leases: Leases, work: Work = untilAborted) {
  const stopping = new AbortController();
  const tokens: number[] = [];
  const changes: LeaseChange[] = [];
  const asking = vi.spyOn(leases, 'tryAcquire');
  let working = 0;
  const run = async (signal: AbortSignal, token: number): Promise<void> => {
    tokens.push(token);
    working += 1;
    await work(signal).finally(() => (working -= 1));
  };
  const observe = (change: LeaseChange): void => void changes.push(change);
  const ended = runLeased({ leases, name: 'work', signal: stopping.signal, run, observe, tryEveryMs: 5 });
  const stop = (): Promise<void> => {
    stopping.abort();
    return ended;
  };
  return { tokens, changes, ended, stop, isWorking: () => working === 1, asked: () => asking.mock.calls.length };
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve());
    if (signal.aborted) resolve();
  });
}
