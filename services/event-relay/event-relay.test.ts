import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OperationalFailure } from '../../infra/failures.ts';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { relayConsumer } from '../../infra/event-feed/port.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { IncomingRecord, OutgoingRecord } from '../../infra/kafka/port.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { memoryTopics } from '../../infra/topics/memory/memory-topics.ts';
import { noRegistry } from '../../schemas/wire/wire-schemas.ts';
import { describeWithKafka, freshTopicPrefix, kafkaBrokers } from '../../test/kafka.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { runRelay, type RunRelayOptions } from './relay.ts';
import {
  eventTopicsOf,
  logOf,
  makeTopics,
  openRelayWorld,
  placeOrders,
  readEvents,
  readTopics,
  type RelayWorld,
} from './test-world.ts';

const opened: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

type Sent = readonly OutgoingRecord[];

/** Topics of one partition each, in memory, which a fault may strike. */
function openFakeKafka(strike: () => 'none' | 'not written' | 'answer lost' = () => 'none') {
  const records: OutgoingRecord[] = [];
  const unavailable = () => new OperationalFailure('KAFKA_UNAVAILABLE', 'as the test says', { retryable: true });
  return {
    records,
    producer: {
      send: (sent: Sent) => {
        const fault = strike();
        if (fault === 'not written') return Promise.reject(unavailable());
        records.push(...sent);
        return fault === 'none' ? Promise.resolve() : Promise.reject(unavailable());
      },
    },
    received: () => records as readonly unknown[] as readonly IncomingRecord[],
  };
}

function openMemoryWorld(kafka = openFakeKafka()) {
  const store = openMemoryEventStore();
  const readStore = openMemoryReadStore();
  const start = (options: Partial<RunRelayOptions> = {}) => {
    const control = new AbortController();
    const running = runRelay({
      ...{ feed: openLogFeed(store, { breathMs: 1 }), store, readStore, producer: kafka.producer },
      ...{ topics: memoryTopics(), schemas: () => Promise.resolve(noRegistry), ...options },
      signal: control.signal,
    });
    const stop = async (): Promise<void> => {
      control.abort();
      await running;
    };
    opened.push(stop);
    return { running, stop };
  };
  const caughtUp = () =>
    vi.waitFor(async () => expect(await readStore.loadCheckpoint(relayConsumer, 'log')).toBe(await store.head()), {
      timeout: 20_000,
      interval: 5,
    });
  return { store, readStore, kafka, start, caughtUp };
}

describe('the relay', () => {
  it('publishes every event of orders and stock as the log has it, and of sagas none', async () => {
    const world = openMemoryWorld();
    await placeOrders(world.store, 20);
    world.start();
    await world.caughtUp();
    await placeOrders(world.store, 20, 20);
    await world.caughtUp();
    const { events, duplicates, outOfOrder } = readEvents(world.kafka.received());
    expect({ duplicates, outOfOrder }).toEqual({ duplicates: 0, outOfOrder: [] });
    expect(new Map(events.map((event) => [event.eventId, event]))).toEqual(await logOf(world.store));
    expect(world.kafka.records).toHaveLength(120);
  });

  it('loses nothing and keeps every stream in order, whatever produces fail or are not answered', async () => {
    const faults = fc.array(fc.constantFrom('none', 'not written', 'answer lost'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(faults, fc.integer({ min: 1, max: 9 }), async (strikes, batchMax) => {
        const left = [...strikes];
        const world = openMemoryWorld(openFakeKafka(() => left.shift() ?? 'none'));
        await placeOrders(world.store, 8);
        // The wait after a failure is not what this is about.
        vi.useFakeTimers({ toFake: ['setTimeout'], shouldAdvanceTime: true, advanceTimeDelta: 1_000 });
        const relay = world.start({ batchMax });
        await world.caughtUp();
        await relay.stop();
        vi.useRealTimers();
        const { events, outOfOrder } = readEvents(world.kafka.received());
        expect(outOfOrder).toEqual([]);
        expect(new Set(events.map(({ eventId }) => eventId))).toEqual(new Set((await logOf(world.store)).keys()));
      }),
      { numRuns: 15 },
    );
  });

  it('never moves its checkpoint before the acknowledgement, nor produces a batch before it', async () => {
    const answers: (() => void)[] = [];
    const sent: Sent[] = [];
    const producer = {
      send: (records: Sent) => {
        sent.push(records);
        return new Promise<void>((resolve) => answers.push(resolve));
      },
    };
    const world = openMemoryWorld();
    await placeOrders(world.store, 4);
    world.start({ producer, batchMax: 3 });
    for (let batch = 1; batch <= 4; batch += 1) {
      await vi.waitFor(() => expect(sent).toHaveLength(batch));
      const before = await world.readStore.loadCheckpoint(relayConsumer, 'log');
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent).toHaveLength(batch);
      expect(await world.readStore.loadCheckpoint(relayConsumer, 'log')).toBe(before);
      answers.shift()?.();
    }
    await world.caughtUp();
  });

  it('produces one batch while its checkpoint moves over the one before, and no other', async () => {
    const world = openMemoryWorld();
    const moves: (() => void)[] = [];
    const readStore = {
      ...world.readStore,
      moveCheckpoint: async (move: Parameters<typeof world.readStore.moveCheckpoint>[0]) => {
        await new Promise<void>((resolve) => moves.push(resolve));
        return world.readStore.moveCheckpoint(move);
      },
    };
    await placeOrders(world.store, 6);
    world.start({ readStore, batchMax: 3 });
    await vi.waitFor(() => expect(world.kafka.records).toHaveLength(6));
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.kafka.records).toHaveLength(6);
    expect(moves).toHaveLength(1);
    moves.shift()?.();
    await vi.waitFor(() => expect(world.kafka.records).toHaveLength(9));
    const letGo = setInterval(() => moves.shift()?.(), 1);
    await world.caughtUp();
    clearInterval(letGo);
  });

  it('begins again after a move of its checkpoint that failed while nothing happened', async () => {
    const world = openMemoryWorld();
    await placeOrders(world.store, 1);
    const page = await world.store.readLog({ after: null, limit: 10 });
    const { checkpoint, events } = page;
    if (checkpoint === null) throw new Error('an empty log');
    let failures = 1;
    const readStore = {
      ...world.readStore,
      moveCheckpoint: (move: Parameters<typeof world.readStore.moveCheckpoint>[0]) => {
        failures -= 1;
        const unavailable = new OperationalFailure('VIEWS_UNAVAILABLE', 'as the test says', { retryable: true });
        return failures >= 0 ? Promise.reject(unavailable) : world.readStore.moveCheckpoint(move);
      },
    };
    // Says that there is more, and then has nothing.
    const feed: EventFeed = {
      run: async ({ loadCheckpoint, handle, signal }) => {
        const from = await loadCheckpoint('log');
        if (from === null) await handle({ partition: 'log', events, checkpoint, atEnd: false });
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      },
    };
    world.start({ feed, readStore, lookEveryMs: 10 });
    await world.caughtUp();
    expect(readEvents(world.kafka.received())).toMatchObject({ duplicates: 3, outOfOrder: [] });
  });

  it('holds one batch and reads one more while Kafka is down, however long the log grows', async () => {
    const world = openMemoryWorld(openFakeKafka(() => 'not written'));
    const reads: number[] = [];
    const readLog: typeof world.store.readLog = async (query) => {
      const page = await world.store.readLog(query);
      reads.push(page.events.length);
      return page;
    };
    await placeOrders(world.store, 100);
    const failures: string[] = [];
    const store = { ...world.store, readLog };
    const onFailure = ({ failure }: { readonly failure: OperationalFailure }) => void failures.push(failure.code);
    world.start({ feed: openLogFeed(store), batchMax: 50, observe: { onFailure } });
    await vi.waitFor(() => expect(failures.length).toBeGreaterThan(3), { timeout: 5_000 });
    expect(new Set(failures)).toEqual(new Set(['KAFKA_UNAVAILABLE']));
    expect(Math.max(...reads)).toBeLessThanOrEqual(50);
    expect(await world.readStore.loadCheckpoint(relayConsumer, 'log')).toBeNull();
  });
});

describeWithPostgres('two relays that both believe to be the one', () => {
  it('publish everything in order: the checkpoint stops the one that lost its place', async () => {
    const database = await freshDatabase();
    opened.push(() => database.drop());
    const readStore = openPostgresReadStore(database.url);
    opened.push(() => readStore.close());
    await readStore.prepare([]);
    const world = openMemoryWorld();
    const failures: string[] = [];
    const onFailure = ({ failure }: { readonly failure: OperationalFailure }) => void failures.push(failure.code);
    const relays = [1, 2].map(() => world.start({ readStore, batchMax: 7, observe: { onFailure } }));
    for (let round = 0; round < 10; round += 1) await placeOrders(world.store, 10, 10 * round);
    const head = await world.store.head();
    await vi.waitFor(async () => expect(await readStore.loadCheckpoint(relayConsumer, 'log')).toBe(head), {
      timeout: 20_000,
    });
    for (const relay of relays) await relay.stop();
    const { events, outOfOrder } = readEvents(world.kafka.received());
    expect(outOfOrder).toEqual([]);
    expect(new Set(events.map(({ eventId }) => eventId))).toEqual(new Set((await logOf(world.store)).keys()));
    expect(failures).toContain('CHECKPOINT_MOVED');
  });
});

describeWithKafka('the relay on a real Kafka', () => {
  const openWorld = async (): Promise<RelayWorld & { readonly prefix: string }> => {
    const prefix = freshTopicPrefix();
    const world = openRelayWorld(kafkaBrokers(), prefix);
    opened.push(() => world.close());
    await makeTopics(world.topics, prefix);
    return { ...world, prefix };
  };
  const caughtUp = ({ store, readStore }: RelayWorld) =>
    vi.waitFor(async () => expect(await readStore.loadCheckpoint(relayConsumer, 'log')).toBe(await store.head()), {
      timeout: 30_000,
      interval: 20,
    });

  it('puts a backlog there in batches of 200 and more, each order in one partition and in order', async () => {
    const world = await openWorld();
    await placeOrders(world.store, 1_000);
    const batches: number[] = [];
    const onBatch = (records: ReadonlyMap<string, number>) =>
      void batches.push([...records.values()].reduce((sum, count) => sum + count, 0));
    world.start({ observe: { onBatch } });
    await caughtUp(world);
    const records = await readTopics(kafkaBrokers(), world.topics, world.prefix);
    const { events, duplicates, outOfOrder } = readEvents(records);
    expect({ duplicates, outOfOrder }).toEqual({ duplicates: 0, outOfOrder: [] });
    expect(new Set(events.map(({ eventId }) => eventId))).toEqual(new Set((await logOf(world.store)).keys()));
    for (const [, group] of Map.groupBy(records, ({ key }) => String(key))) {
      expect(new Set(group.map(({ partition }) => partition)).size).toBe(1);
    }
    expect(Math.min(...batches)).toBeGreaterThanOrEqual(200);
  });

  it('fills a topic again that was made anew, also while nothing happens', async () => {
    const world = await openWorld();
    await placeOrders(world.store, 30);
    const lost: string[] = [];
    world.start({ observe: { onLoss: (topic) => void lost.push(topic) } });
    await caughtUp(world);
    await world.remakeTopics();
    await vi.waitFor(() => expect(lost).toEqual(['order.events']), { timeout: 30_000 });
    await caughtUp(world);
    const { events, outOfOrder } = readEvents(await readTopics(kafkaBrokers(), world.topics, world.prefix));
    expect(outOfOrder).toEqual([]);
    expect(new Set(events.map(({ eventId }) => eventId))).toEqual(new Set((await logOf(world.store)).keys()));
  });

  it('fills a topic again that was made anew while no relay ran', async () => {
    const world = await openWorld();
    await placeOrders(world.store, 30);
    const first = world.start();
    await caughtUp(world);
    await first.stop();
    await world.remakeTopics();
    await placeOrders(world.store, 5, 30);
    world.start();
    await caughtUp(world);
    const { events, duplicates } = readEvents(await readTopics(kafkaBrokers(), world.topics, world.prefix));
    expect(duplicates).toBe(0);
    expect(new Set(events.map(({ eventId }) => eventId))).toEqual(new Set((await logOf(world.store)).keys()));
  });

  it('waits for topics that do not exist yet, and then fills them', async () => {
    const prefix = freshTopicPrefix();
    const world = openRelayWorld(kafkaBrokers(), prefix);
    opened.push(() => world.close());
    await placeOrders(world.store, 5);
    const failures: string[] = [];
    world.start({ observe: { onFailure: ({ failure }) => void failures.push(failure.code) } });
    await vi.waitFor(() => expect(failures).toContain('KAFKA_UNAVAILABLE'), { timeout: 20_000 });
    await makeTopics(world.topics, prefix);
    await caughtUp(world);
    const ends = await world.topics.endOffsets(eventTopicsOf(prefix).map(({ name }) => name));
    expect([...(ends.get(`${prefix}order.events`)?.values() ?? [])].reduce((sum, end) => sum + end, 0)).toBe(15);
  });
});
