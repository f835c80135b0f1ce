import { expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { appended, idsOf } from '../../infra/event-store/contract/examples.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMetrics } from '../../infra/metrics/open.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { allLines, anOrderId, appendAll, delivered, dispatched, paymentFact, placement } from '../../projections/examples.ts'; // prettier-ignore
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { eventMetrics, runEventMetrics, type EventMetrics } from './event-metrics.ts';

type Counting = {
  readonly counted: readonly string[];
  readonly failures: readonly string[];
  readonly stop: () => Promise<void>;
};
type Stores = { readonly store: EventStore; readonly readStore: ReadStore };

function openStores(): Stores {
  return { store: openMemoryEventStore(), readStore: openMemoryReadStore() };
}

/** One process that counts, once it knows where it stands. */
async function startCounting(stores: Stores, changes: Partial<EventMetrics> = {}): Promise<Counting> {
  const counted: string[] = [];
  const failures: string[] = [];
  const stopping = new AbortController();
  const begun = Promise.withResolvers<undefined>();
  const feed = changes.feed ?? openLogFeed(stores.store);
  const watched: EventFeed = {
    run: (subscription) =>
      feed.run({
        ...subscription,
        loadCheckpoint: async (partition) => {
          const place = await subscription.loadCheckpoint(partition);
          begun.resolve(undefined);
          return place;
        },
      }),
  };
  const observeEvent = ({ eventId }: RecordedEvent): void => void counted.push(eventId);
  const orderPasts = { isMissing: () => false, recall: () => undefined };
  const running = runEventMetrics(
    {
      ...stores,
      metrics: { observeEvent, orderPasts },
      onFailure: ({ failure }) => void failures.push(failure.code),
      restMs: 0,
      ...changes,
      feed: watched,
    },
    stopping.signal,
  );
  await begun.promise;
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  return { counted, failures, stop };
}

it('counts each event since the first start once, also after an outage of the store', async () => {
  const { store, readStore } = openStores();
  await appended(store);
  const { counted, stop } = await startCounting({ store, readStore });
  const before = [await appended(store), await appended(store)];
  await vi.waitFor(() => expect(counted).toHaveLength(2));
  const outage = new OperationalFailure('STORE_UNAVAILABLE', 'a cable', { retryable: true });
  const failing = vi.spyOn(store, 'readLog').mockRejectedValueOnce(outage);
  const during = await appended(store);
  await vi.waitFor(() => expect(counted).toContain(idsOf(during.events)[0]), { timeout: 5_000 });
  expect(failing.mock.settledResults[0]).toEqual({ type: 'rejected', value: outage });
  expect(counted).toEqual([...before, during].flatMap(({ events }) => idsOf(events)));
  await stop();
});

it('leaves out an event that cannot be counted, and counts the next', async () => {
  const stores = openStores();
  const counted: string[] = [];
  let met = 0;
  const observeEvent = ({ eventId }: RecordedEvent): void => {
    met += 1;
    if (met === 1) throw new TypeError('no lines');
    counted.push(eventId);
  };
  const metrics = { observeEvent, orderPasts: { isMissing: () => false, recall: () => undefined } };
  const { stop } = await startCounting(stores, { metrics });
  await appended(stores.store);
  const next = await appended(stores.store);
  await vi.waitFor(() => expect(counted).toEqual(idsOf(next.events)));
  await stop();
});

it('counts, after a takeover, also what came while nobody counted', async () => {
  const stores = openStores();
  await appended(stores.store);
  const first = await startCounting(stores);
  const before = await appended(stores.store);
  await vi.waitFor(() => expect(first.counted).toEqual(idsOf(before.events)));
  await first.stop();
  const between = [await appended(stores.store), await appended(stores.store)];
  const second = await startCounting(stores);
  const after = await appended(stores.store);
  const expected = [...between, after].flatMap(({ events }) => idsOf(events));
  await vi.waitFor(() => expect(second.counted).toEqual(expected));
  await second.stop();
});

it('counts what comes between a start and its first batch, where that start dies first', async () => {
  const stores = openStores();
  await appended(stores.store);
  const neverEnds: EventFeed = {
    run: async ({ loadCheckpoint, signal }) => {
      await loadCheckpoint('log');
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
  };
  const first = await startCounting(stores, { feed: neverEnds });
  const missed = await appended(stores.store);
  await first.stop();
  const second = await startCounting(stores);
  await vi.waitFor(() => expect(second.counted).toEqual(idsOf(missed.events)));
  await second.stop();
});

it('counts nothing twice where a process that was replaced goes on', async () => {
  const stores = openStores();
  await appended(stores.store);
  const held = Promise.withResolvers<undefined>();
  // As a process that is stopped before it moves its checkpoint, and wakes up after another counted.
  const slow: ReadStore = {
    ...stores.readStore,
    moveCheckpoint: async (move) => {
      if (move.from !== null) await held.promise;
      return stores.readStore.moveCheckpoint(move);
    },
  };
  const zombie = await startCounting({ ...stores, readStore: slow });
  const events = [await appended(stores.store), await appended(stores.store)].flatMap((each) => idsOf(each.events));
  const successor = await startCounting(stores);
  await vi.waitFor(() => expect(successor.counted).toEqual(events));
  await successor.stop();
  held.resolve(undefined);
  await vi.waitFor(() => expect(zombie.failures).toEqual(['CHECKPOINT_MOVED']));
  const later = await appended(stores.store);
  await vi.waitFor(() => expect(zombie.counted).toEqual(idsOf(later.events)), { timeout: 5_000 });
  await zombie.stop();
});

it('rests at the end of the log, so that a busy one costs a few checkpoints a second, and not behind it', async () => {
  const stores = openStores();
  await appended(stores.store);
  const moves = vi.spyOn(stores.readStore, 'moveCheckpoint');
  const { counted, stop } = await startCounting(stores, { restMs: 60_000 });
  for (let count = 0; count < 3; count += 1) await appended(stores.store);
  await vi.waitFor(() => expect(counted.length).toBeGreaterThan(0));
  const movesSoFar = moves.mock.calls.length;
  for (let count = 0; count < 50; count += 1) await appended(stores.store);
  expect(moves.mock.calls.length - movesSoFar).toBeLessThanOrEqual(1);
  // The rest is over at once when the process ends.
  await stop();
});

it('goes on with the orders of another process: each status is counted once, and timed from its beginning', async () => {
  const stores = openStores();
  const orderId = anOrderId('taken-over');
  const [first, second] = [openMetrics(), openMetrics()];
  const lines = async (metrics: typeof first, name: string) =>
    (await metrics.text()).split('\n').filter((line) => line.startsWith(name) && !line.endsWith(' 0'));
  const before = await startCounting(stores, { metrics: first });
  await appendAll(stores.store, [placement(orderId), paymentFact('PaymentCaptured', orderId)]);
  await vi.waitFor(async () => expect(await lines(first, 'order_status_change_total')).toHaveLength(2));
  await before.stop();
  await appendAll(stores.store, [dispatched(orderId, 's1', allLines)]);
  const after = await startCounting(stores, { metrics: second });
  await appendAll(stores.store, [delivered(orderId)]);
  await vi.waitFor(async () =>
    expect(await lines(second, 'order_status_change_total')).toEqual([
      'order_status_change_total{status="shipped"} 1',
      'order_status_change_total{status="delivered"} 1',
    ]),
  );
  expect(await lines(second, 'order_created_total')).toEqual([]);
  expect(await lines(second, 'order_duration_seconds_count{stage="total"}')).toHaveLength(1);
  await after.stop();
});

it('does not take history for today’s business: a live fact of an imported order changes no status', async () => {
  const stores = openStores();
  const orderId = anOrderId('imported');
  await appendAll(stores.store, [placement(orderId)], { origin: 'backfill' });
  const metrics = openMetrics();
  const { stop } = await startCounting(stores, { metrics });
  await appendAll(stores.store, [paymentFact('PaymentCaptured', orderId)]);
  const head = await stores.store.head();
  await vi.waitFor(async () => expect(await stores.readStore.loadCheckpoint(eventMetrics, 'log')).toBe(head));
  expect(await metrics.text()).not.toMatch(/^order_status_change_total\{.*\} [1-9]/m);
  await stop();
});
