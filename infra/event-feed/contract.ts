import { describe, expect, it, vi } from 'vitest';

import { exampleData } from '../../schemas/examples.ts';
import { stockStream } from '../../schemas/ids.ts';
import { appended, eventsOf, exampleEvent, idsOf, newOrderStream, shop } from '../event-store/contract/examples.ts';
import type { EventStore } from '../event-store/port.ts';
import { OperationalFailure } from '../failures.ts';
import {
  consume,
  manyEvents,
  onFresh,
  openGate,
  soon,
  subscriptionOf,
  type FeedUnderTest,
} from './contract/consume.ts';
import type { Checkpoint } from './port.ts';

/** What every event feed must satisfy. */
export function eventFeedContract(name: string, open: () => Promise<FeedUnderTest>): void {
  const fresh = onFresh(open);
  describe(`event feed on ${name}`, () => {
    it(
      'brings what is there from the beginning, then stays live without a gap or a repeat',
      fresh(async ({ feed, store }) => {
        const stream = newOrderStream();
        for (let round = 0; round < 10; round += 1)
          await appended(store, { stream, expected: expectedIn(round), events: eventsOf(2) });
        const consumer = consume(feed, { batchMax: 3 });
        for (let round = 10; round < 30; round += 1)
          await appended(store, { stream, expected: expectedIn(round), events: eventsOf(2) });
        await vi.waitFor(() => expect(consumer.events()).toHaveLength(60), soon);
        await consumer.stop();
        expect(consumer.events()).toEqual(await store.readStream({ stream }));
        expect(consumer.batches.every(({ events }) => events.length <= 3)).toBe(true);
      }),
    );

    it(
      'keeps the order of each stream where two processes write many',
      fresh(async ({ feed, store, second }) => {
        const other = await second();
        const consumer = consume(feed, { batchMax: 7 });
        const streams = Array.from({ length: 10 }, newOrderStream);
        await Promise.all(streams.map((stream, index) => writeRounds(index % 2 === 0 ? store : other, stream, 10)));
        await vi.waitFor(() => expect(consumer.events()).toHaveLength(200), soon);
        await consumer.stop();
        for (const stream of streams) {
          const revisions = consumer
            .events()
            .filter((event) => event.stream === stream)
            .map(({ revision }) => revision);
          expect(revisions).toEqual(Array.from({ length: 20 }, (_, index) => index));
        }
      }),
    );

    it(
      'tells of the events of each batch before it hands it on',
      fresh(async ({ feed, store }) => {
        await manyEvents(store, 10);
        const consumer = consume(feed, { batchMax: 4 });
        await vi.waitFor(() => expect(consumer.events()).toHaveLength(10), soon);
        await consumer.stop();
        expect(consumer.unforeseen).toEqual([]);
      }),
    );

    it(
      'gives each batch a checkpoint that covers exactly its events',
      fresh(async ({ feed, store }) => {
        const events = await manyEvents(store, 10);
        const consumer = consume(feed, { batchMax: 4 });
        await vi.waitFor(() => expect(consumer.events()).toHaveLength(10), soon);
        await consumer.stop();
        let seen = 0;
        for (const batch of consumer.batches) {
          seen += batch.events.length;
          const rest = consume(feed, { from: batch.checkpoint, partition: batch.partition });
          await vi.waitFor(() => expect(idsOf(rest.events())).toEqual(idsOf(events.slice(seen))), soon);
          await rest.stop();
        }
      }),
    );

    it(
      'wakes up for an append of this process, long before the next poll',
      fresh(async ({ feed, store }) => {
        const consumer = consume(feed);
        const delays: number[] = [];
        for (let round = 0; round < 15; round += 1) {
          await appended(store);
          const answeredAt = performance.now();
          await vi.waitFor(() => expect(consumer.events()).toHaveLength(round + 1), { timeout: 5_000, interval: 1 });
          delays.push(performance.now() - answeredAt);
        }
        await consumer.stop();
        expect(delays.toSorted((a, b) => a - b)[7]).toBeLessThan(100);
      }),
    );

    it(
      'finds by polling what another process wrote',
      fresh(async ({ feed, second }) => {
        const other = await second();
        const consumer = consume(feed);
        const { events } = await appended(other);
        await vi.waitFor(() => expect(consumer.events()).toEqual(events), soon);
        await consumer.stop();
      }),
    );

    it(
      'serves several consumers, each with its own checkpoint and pace',
      fresh(async ({ feed, store }) => {
        const stream = newOrderStream();
        const { events } = await appended(store, { stream, events: eventsOf(9) });
        const consumers = [1, 2, 500].map((batchMax) => consume(feed, { batchMax }));
        const { events: later } = await appended(store, { stream, expected: 8 });
        for (const consumer of consumers) {
          await vi.waitFor(() => expect(consumer.events()).toEqual([...events, ...later]), soon);
          await consumer.stop();
        }
      }),
    );

    it(
      'brings the asked categories only, while catching up and live',
      fresh(async ({ feed, store }) => {
        const received = exampleEvent({ type: 'StockReceived', data: exampleData.StockReceived });
        const first = await appended(store, { stream: stockStream(shop, 'sku-1'), events: [received] });
        await manyEvents(store, 5);
        const consumer = consume(feed, { categories: ['stock'] });
        const again = exampleEvent({ type: 'StockReceived', data: exampleData.StockReceived });
        const live = await appended(store, { stream: stockStream(shop, 'sku-1'), expected: 0, events: [again] });
        await manyEvents(store, 5);
        await vi.waitFor(() => expect(consumer.events()).toEqual([...first.events, ...live.events]), soon);
        await consumer.stop();
        expect(consumer.events()).toHaveLength(2);
      }),
    );

    it(
      'ends within a second when it is stopped, idle or in the middle of a batch',
      fresh(async ({ feed, store }) => {
        const idle = consume(feed);
        await manyEvents(store, 3);
        await vi.waitFor(() => expect(idle.events()).toHaveLength(3), soon);
        const gate = openGate();
        const busy = consume(feed, { batchMax: 1, handled: gate.passed });
        await vi.waitFor(() => expect(busy.batches).toHaveLength(1), soon);
        const stoppedAt = performance.now();
        const ends = Promise.all([idle.stop(), busy.stop()]);
        gate.open();
        await ends;
        expect(performance.now() - stoppedAt).toBeLessThan(1_000);
        expect(busy.batches).toHaveLength(1);
      }),
    );

    it(
      'throws what the handler threw, and brings that batch again to whoever starts from the stored checkpoint',
      fresh(async ({ feed, store }) => {
        const events = await manyEvents(store, 6);
        let stored: Checkpoint | null = null;
        const broken = consume(feed, {
          batchMax: 2,
          handled: (batch) => {
            if (batch.events.some(({ eventId }) => eventId === events[3]?.eventId))
              throw new Error('a bug of the consumer');
            stored = batch.checkpoint;
            return Promise.resolve();
          },
        });
        await expect(broken.ended).rejects.toThrow('a bug of the consumer');
        const again = consume(feed, { batchMax: 2, from: stored });
        await vi.waitFor(() => expect(again.events()).toEqual(events.slice(2)), soon);
        await again.stop();
      }),
    );

    it(
      'throws what loading the checkpoint threw',
      fresh(async ({ feed }) => {
        const failure = new OperationalFailure('VIEWS_UNAVAILABLE', 'down', { retryable: true });
        const subscription = {
          ...subscriptionOf(new AbortController().signal),
          loadCheckpoint: () => Promise.reject(failure),
        };
        await expect(feed.run(subscription)).rejects.toBe(failure);
      }),
    );
  });
}

function expectedIn(round: number): number | 'none' {
  return round === 0 ? 'none' : round * 2 - 1;
}

async function writeRounds(
  store: EventStore,
  stream: ReturnType<typeof newOrderStream>,
  rounds: number,
): Promise<void> {
  for (let round = 0; round < rounds; round += 1) {
    await appended(store, { stream, expected: expectedIn(round), events: eventsOf(2) });
  }
}
