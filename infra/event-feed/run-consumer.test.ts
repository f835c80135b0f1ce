import { describe, expect, it, vi } from 'vitest';

import { appended, eventsOf, idsOf } from '../event-store/contract/examples.ts';
import { openMemoryEventStore } from '../event-store/memory/memory-event-store.ts';
import type { EventStore } from '../event-store/port.ts';
import { OperationalFailure } from '../failures.ts';
import { openLogFeed } from './log/log-feed.ts';
import type { Checkpoint, FeedBatch, Subscription } from './port.ts';
import { runConsumer, type ConsumerStop, type HandledBatch, type RunConsumerOptions } from './run-consumer.ts';

const down = new OperationalFailure('VIEWS_UNAVAILABLE', 'the database does not answer', { retryable: true });

describe('runConsumer', () => {
  it('starts again from the stored checkpoint after a retryable failure, and handles every event', async () => {
    const store = openMemoryEventStore();
    const { events } = await appended(store, { events: eventsOf(6) });
    const consumer = supervise(store, { failures: [down, down] });
    await vi.waitFor(() => expect(consumer.eventIds()).toEqual(idsOf(events)));
    await consumer.stop();
    expect(consumer.stops.map(({ failure }) => failure)).toEqual([down, down]);
  });

  it('starts again after a failure of the store itself, such as a broken connection', async () => {
    const store = openMemoryEventStore();
    const { events } = await appended(store);
    const broken = new OperationalFailure('STORE_UNAVAILABLE', 'connection lost', { retryable: true });
    vi.spyOn(store, 'readLog').mockRejectedValueOnce(broken);
    const consumer = supervise(store);
    await vi.waitFor(() => expect(consumer.eventIds()).toEqual(idsOf(events)));
    await consumer.stop();
    expect(consumer.stops).toMatchObject([{ consumer: 'test', failure: broken }]);
  });

  it('starts again from the new checkpoint where another process moved it', async () => {
    const store = openMemoryEventStore();
    await appended(store);
    const moved = new OperationalFailure('CHECKPOINT_MOVED', 'by another process', { retryable: false });
    const consumer = supervise(store, { failures: [moved] });
    await vi.waitFor(() => expect(consumer.eventIds()).toHaveLength(1));
    await consumer.stop();
  });

  it('waits longer after each failure in a row up to its maximum, and briefly again once a batch was handled', async () => {
    const store = openMemoryEventStore();
    await appended(store, { events: eventsOf(2) });
    const failures = [down, down, down, down, null, down];
    const consumer = supervise(store, { failures, batchMax: 1, backoffFirstMs: 8, backoffMaxMs: 20 });
    await vi.waitFor(() => expect(consumer.eventIds()).toHaveLength(2));
    await consumer.stop();
    const bounds = [8, 16, 20, 20, 8];
    expect(consumer.stops).toHaveLength(bounds.length);
    consumer.stops.forEach(({ restartInMs }, index) => {
      expect(restartInMs).toBeGreaterThanOrEqual((bounds[index] ?? 0) / 2);
      expect(restartInMs).toBeLessThanOrEqual(bounds[index] ?? 0);
    });
  });

  it.each([
    ['a bug', new TypeError('undefined is not a function')],
    ['a foreign store', new OperationalFailure('FOREIGN_STORE', 'other epoch', { retryable: false })],
  ])('rejects with %s: no restart would help', async (_name, failure) => {
    const store = openMemoryEventStore();
    await appended(store);
    const consumer = supervise(store, { failures: [failure] });
    await expect(consumer.ended).rejects.toBe(failure);
    expect(consumer.stops).toEqual([]);
  });

  it('ends at once when it is aborted while it waits to start again', async () => {
    const store = openMemoryEventStore();
    await appended(store);
    const consumer = supervise(store, { failures: [down], backoffFirstMs: 60_000, backoffMaxMs: 60_000 });
    await vi.waitFor(() => expect(consumer.stops).toHaveLength(1));
    const stoppedAt = performance.now();
    await consumer.stop();
    expect(performance.now() - stoppedAt).toBeLessThan(1_000);
  });

  it('reports each handled batch for the metrics', async () => {
    const store = openMemoryEventStore();
    await appended(store, { events: eventsOf(3) });
    const consumer = supervise(store, { batchMax: 2 });
    await vi.waitFor(() => expect(consumer.reports).toHaveLength(2));
    await consumer.stop();
    expect(consumer.reports).toMatchObject([
      { consumer: 'test', partition: 'log', events: 2, atEnd: false },
      { consumer: 'test', partition: 'log', events: 1, atEnd: true },
    ]);
  });

  it('tells an idle consumer at most once a second that its checkpoint moved past events it did not ask for', async () => {
    const store = openMemoryEventStore();
    const consumer = supervise(store, { categories: ['stock'] });
    const startedAt = performance.now();
    for (let round = 0; performance.now() - startedAt < 1_500; round += 1) {
      await appended(store);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const head = await store.head();
    await vi.waitFor(() => expect(consumer.batches.at(-1)?.checkpoint).toBe(head), { timeout: 5_000 });
    await consumer.stop();
    expect(consumer.batches.length).toBeLessThanOrEqual(3);
    expect(consumer.eventIds()).toEqual([]);
  });
});

type SuperviseOptions = RunConsumerOptions &
  Partial<Pick<Subscription, 'batchMax' | 'categories'>> & {
    /** Thrown by the handler, one a call; null: this call succeeds. */
    readonly failures?: readonly (Error | null)[];
  };

function supervise(store: EventStore, options: SuperviseOptions = {}) {
  const failures = [...(options.failures ?? [])];
  const stops: ConsumerStop[] = [];
  const reports: HandledBatch[] = [];
  const batches: FeedBatch[] = [];
  const control = new AbortController();
  let stored: Checkpoint | null = null;
  const subscription: Subscription = {
    consumer: 'test',
    categories: options.categories ?? ['order'],
    batchMax: options.batchMax ?? 100,
    signal: control.signal,
    loadCheckpoint: () => Promise.resolve(stored),
    handle: (batch) => {
      const failure = failures.shift() ?? null;
      if (failure !== null) return Promise.reject(failure);
      batches.push(batch);
      stored = batch.checkpoint;
      return Promise.resolve();
    },
  };
  const ended = runConsumer(openLogFeed(store, { pollMs: 20 }), subscription, {
    backoffFirstMs: 2,
    onFailure: (stop) => stops.push(stop),
    onBatch: (handled) => reports.push(handled),
    ...options,
  });
  ended.catch(() => undefined);
  const eventIds = (): readonly string[] => idsOf(batches.flatMap(({ events }) => events));
  const stop = async (): Promise<void> => {
    control.abort();
    await ended;
  };
  return { batches, stops, reports, ended, eventIds, stop };
}
