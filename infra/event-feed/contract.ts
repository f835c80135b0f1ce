import { describe, expect, it, vi } from 'vitest';

import { stockStream, type Category } from '../../schemas/ids.ts';
import {
  appended,
  eventsOf,
  exampleEvent,
  idsOf,
  newOrderStream,
  readUntil,
  shop,
} from '../event-store/contract/examples.ts';
import type { EventStore } from '../event-store/port.ts';
import { OperationalFailure } from '../failures.ts';
import type { Checkpoint, EventFeed, FeedBatch, Subscription } from './port.ts';

/** A feed over a store of its own for one test; it polls every 250 ms. */
export type FeedUnderTest = {
  readonly feed: EventFeed;
  /** Where this process appends. */
  readonly store: EventStore;
  /** The same store as another process sees it. */
  readonly second: () => Promise<EventStore>;
  readonly close: () => Promise<void>;
};

const soon = { timeout: 5_000, interval: 5 };

/** What every event feed must satisfy. */
export function eventFeedContract(name: string, open: () => Promise<FeedUnderTest>): void {
  const onFresh = (body: (fresh: FeedUnderTest) => Promise<void>) => async () => {
    const fresh = await open();
    try {
      await body(fresh);
    } finally {
      await fresh.close();
    }
  };

  describe(`event feed on ${name}`, () => {
    it(
      'brings what is there from the beginning, then stays live without a gap or a repeat',
      onFresh(async ({ feed, store }) => {
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
      onFresh(async ({ feed, store, second }) => {
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
      'goes on from a stored checkpoint: the head for new events only, or any other',
      onFresh(async ({ feed, store }) => {
        const events = await manyEvents(store, 6);
        const fromThird = consume(feed, { from: events[2]?.position ?? null });
        const fromHead = consume(feed, { from: await store.head() });
        const { events: later } = await appended(store);
        await vi.waitFor(() => expect(fromHead.events()).toEqual(later), soon);
        await vi.waitFor(() => expect(fromThird.events()).toEqual([...events.slice(3), ...later]), soon);
        await Promise.all([fromThird.stop(), fromHead.stop()]);
      }),
    );

    it(
      'gives each batch a checkpoint that covers exactly its events',
      onFresh(async ({ feed, store }) => {
        const events = await manyEvents(store, 10);
        const consumer = consume(feed, { batchMax: 4 });
        await vi.waitFor(() => expect(consumer.events()).toHaveLength(10), soon);
        await consumer.stop();
        let seen = 0;
        for (const batch of consumer.batches) {
          seen += batch.events.length;
          const rest = await readUntil(store, events.length - seen, { after: batch.checkpoint });
          expect(idsOf(rest)).toEqual(idsOf(events.slice(seen)));
        }
      }),
    );

    it(
      'wakes up for an append of this process, long before the next poll',
      onFresh(async ({ feed, store }) => {
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
      onFresh(async ({ feed, second }) => {
        const other = await second();
        const consumer = consume(feed);
        const { events } = await appended(other);
        await vi.waitFor(() => expect(consumer.events()).toEqual(events), soon);
        await consumer.stop();
      }),
    );

    it(
      'serves several consumers, each with its own checkpoint and pace',
      onFresh(async ({ feed, store }) => {
        const events = await manyEvents(store, 9);
        const consumers = [1, 2, 500].map((batchMax) => consume(feed, { batchMax }));
        const { events: later } = await appended(store);
        for (const consumer of consumers) {
          await vi.waitFor(() => expect(consumer.events()).toEqual([...events, ...later]), soon);
          await consumer.stop();
        }
      }),
    );

    it(
      'brings the asked categories only, while catching up and live, and moves the checkpoint past the others',
      onFresh(async ({ feed, store }) => {
        const stock = stockStream(shop, 'sku-1');
        const { events: first } = await appended(store, {
          stream: stock,
          events: [exampleEvent({ type: 'StockReceived' })],
        });
        await manyEvents(store, 5);
        const consumer = consume(feed, { categories: ['stock'] });
        const { events: live } = await appended(store, {
          stream: stock,
          expected: 0,
          events: [exampleEvent({ type: 'StockReceived' })],
        });
        await vi.waitFor(() => expect(consumer.events()).toEqual([...first, ...live]), soon);
        await manyEvents(store, 5);
        const head = await store.head();
        await vi.waitFor(() => expect(consumer.batches.at(-1)?.checkpoint).toBe(head), soon);
        await consumer.stop();
        expect(consumer.events()).toEqual([...first, ...live]);
      }),
    );

    it(
      'reads at most one page ahead of a slow consumer, however much is ready',
      onFresh(async ({ feed, store }) => {
        await manyEvents(store, 12);
        const reads = vi.spyOn(store, 'readLog');
        const gate = openGate();
        const consumer = consume(feed, { batchMax: 2, handled: gate.passed });
        for (let batch = 1; batch <= 4; batch += 1) {
          await vi.waitFor(() => expect(consumer.batches).toHaveLength(batch), soon);
          await store.ping();
          expect(reads.mock.calls.length).toBeLessThanOrEqual(batch + 1);
          gate.letOnePass();
        }
        gate.open();
        await consumer.stop();
      }),
    );

    it(
      'ends within a second when it is stopped, idle or in the middle of a batch',
      onFresh(async ({ feed, store }) => {
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
      onFresh(async ({ feed, store }) => {
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
      onFresh(async ({ feed }) => {
        const failure = new OperationalFailure('VIEWS_UNAVAILABLE', 'down', { retryable: true });
        const subscription = {
          ...subscriptionOf(new AbortController().signal),
          loadCheckpoint: () => Promise.reject(failure),
        };
        await expect(feed.run(subscription)).rejects.toBe(failure);
      }),
    );

    it(
      'refuses a checkpoint of another store or beyond the head',
      onFresh(async ({ feed, store }) => {
        const { position } = await appended(store);
        for (const from of [`00000000${position.slice(8)}`, `${position}9`] as Checkpoint[]) {
          await expect(consume(feed, { from }).ended).rejects.toMatchObject({ code: 'FOREIGN_STORE' });
        }
      }),
    );
  });
}

type ConsumeOptions = {
  readonly from?: Checkpoint | null;
  readonly batchMax?: number;
  readonly categories?: readonly Category[];
  readonly handled?: (batch: FeedBatch) => Promise<void>;
};

type Consumer = {
  readonly batches: readonly FeedBatch[];
  readonly events: () => FeedBatch['events'];
  readonly ended: Promise<void>;
  readonly stop: () => Promise<void>;
};

function consume(feed: EventFeed, options: ConsumeOptions = {}): Consumer {
  const { from = null, batchMax = 100, categories, handled } = options;
  const batches: FeedBatch[] = [];
  const control = new AbortController();
  const ended = feed.run({
    ...subscriptionOf(control.signal),
    ...(categories === undefined ? {} : { categories }),
    batchMax,
    loadCheckpoint: () => Promise.resolve(from),
    handle: async (batch) => {
      batches.push(batch);
      await handled?.(batch);
    },
  });
  // Whoever waits for the end sees the error; this only keeps it from being called unhandled until then.
  ended.catch(() => undefined);
  const stop = async (): Promise<void> => {
    control.abort();
    await ended;
  };
  return { batches, events: () => batches.flatMap(({ events }) => events), ended, stop };
}

function subscriptionOf(signal: AbortSignal): Subscription {
  return {
    consumer: 'test',
    categories: ['order', 'stock', 'fulfillment'],
    batchMax: 100,
    loadCheckpoint: () => Promise.resolve(null),
    handle: () => Promise.resolve(),
    signal,
  };
}

/** Handlers wait here until they are let through. */
function openGate(): {
  readonly passed: () => Promise<void>;
  readonly letOnePass: () => void;
  readonly open: () => void;
} {
  const waiting: (() => void)[] = [];
  let isOpen = false;
  return {
    passed: () => (isOpen ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
    letOnePass: () => waiting.shift()?.(),
    open: () => {
      isOpen = true;
      for (const pass of waiting.splice(0)) pass();
    },
  };
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

async function manyEvents(store: EventStore, count: number): Promise<FeedBatch['events']> {
  return (await appended(store, { events: eventsOf(count) })).events;
}
