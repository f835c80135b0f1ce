import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EventFeed, FeedBatch } from './port.ts';
import { watchBatches, wedgedConsumers } from './watch-batches.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const batch = { partition: 'log', events: [], checkpoint: '1', atEnd: true } as unknown as FeedBatch;

/** A feed that hands each consumer one batch, which it holds until `release`. */
function openScene() {
  const feed: EventFeed = {
    run: async ({ loadCheckpoint, handle }) => {
      await loadCheckpoint('log');
      await handle(batch);
    },
  };
  const watched = watchBatches(feed);
  const consume = (consumer: string, hold: { readonly at: 'load' | 'handle' }) => {
    const { promise, resolve, reject } = Promise.withResolvers<null>();
    const done = Promise.resolve(null);
    const run = watched.run({
      consumer,
      categories: ['order'],
      batchMax: 1,
      signal: new AbortController().signal,
      loadCheckpoint: () => (hold.at === 'load' ? promise : done),
      handle: async () => {
        await (hold.at === 'handle' ? promise : done);
      },
    });
    return { run, release: () => resolve(null), fail: (error: Error) => reject(error) };
  };
  return { watched, consume };
}

it.each(['load', 'handle'] as const)('tells of a consumer that hangs in its %s for over a minute', async (at) => {
  const { watched, consume } = openScene();
  const { run, release } = consume('orders', { at });
  await vi.advanceTimersByTimeAsync(60_000);
  expect(wedgedConsumers(watched)).toBeNull();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(wedgedConsumers(watched)).toBe('orders: 61 s');
  release();
  await run;
  expect(wedgedConsumers(watched)).toBeNull();
});

it('tells of nothing while consumers are at rest, stopped or fail: no restart would help', async () => {
  const { watched, consume } = openScene();
  const failing = consume('orders', { at: 'handle' });
  failing.fail(new Error('words of the store'));
  await expect(failing.run).rejects.toThrow('words of the store');
  await vi.advanceTimersByTimeAsync(600_000);
  expect(wedgedConsumers(watched)).toBeNull();
  expect(vi.getTimerCount()).toBe(0);
});

it('does not take a consumer for wedged that waits for room and gets on', async () => {
  const { watched, consume } = openScene();
  const { run, release } = consume('fulfillment', { at: 'handle' });
  for (let minutes = 0; minutes < 10; minutes += 1) {
    await vi.advanceTimersByTimeAsync(50_000);
    watched.noteProgress('fulfillment');
    watched.noteProgress('others');
  }
  expect(wedgedConsumers(watched)).toBeNull();
  await vi.advanceTimersByTimeAsync(61_000);
  expect(wedgedConsumers(watched)).toBe('fulfillment: 61 s');
  release();
  await run;
});

it('counts turns of the process and not time: one that was stopped for an hour wakes up innocent', async () => {
  const { watched, consume } = openScene();
  const { run, release } = consume('orders', { at: 'handle' });
  await vi.advanceTimersByTimeAsync(5_000);
  vi.setSystemTime(Date.now() + 3_600_000);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(wedgedConsumers(watched)).toBeNull();
  release();
  await run;
});
