import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';

import { fulfillmentStream, stockStream, type OrderId, type StreamName } from '../../../schemas/ids.ts';
import type { EventStore, Position, RecordedEvent } from '../port.ts';
import { toPosition } from '../position.ts';
import { appended, eventsOf, exampleAppend, exampleEvent, idsOf, newOrderStream, readUntil, shop } from './examples.ts';
import { onFreshStore, type OpenStore } from './harness.ts';

export function streamScenarios(open: OpenStore): void {
  describe('a stream', () => {
    it(
      'is read forwards from its start, from a revision, and in slices',
      onFreshStore(open, async (store, second) => {
        const { events } = await appended(store, { events: eventsOf(7) });
        const stream = events[0]?.stream ?? newOrderStream();
        for (const handle of [store, await second()]) {
          expect(await handle.readStream({ stream })).toEqual(events);
          expect(await handle.readStream({ stream, fromRevision: 5 })).toEqual(events.slice(5));
          expect(await handle.readStream({ stream, fromRevision: 2, limit: 3 })).toEqual(events.slice(2, 5));
          expect(await handle.readStream({ stream, limit: 1 })).toEqual(events.slice(0, 1));
        }
      }),
    );

    it(
      'that does not exist is empty, and so is what lies past the head',
      onFreshStore(open, async (store) => {
        const { events } = await appended(store);
        const stream = events[0]?.stream ?? newOrderStream();
        expect(await store.readStream({ stream: newOrderStream() })).toEqual([]);
        expect(await store.readStream({ stream, fromRevision: 1 })).toEqual([]);
        expect(await store.readStream({ stream, fromRevision: 2 ** 40 })).toEqual([]);
      }),
    );

    it(
      'gives texts back as they were: control characters, accents, emoji, quotes and escapes',
      onFreshStore(open, async (store) => {
        const data = {
          orderId: '\u0018\u0118\u2028 ' + '\\u0000 "\\" \t\r\n',
          reason: '🛒 ação 日本語 \u{10ffff}',
          ['kéy ✓']: [1.5, -0.25, 2 ** 53 - 1],
        };
        const { events } = await appended(store, { events: [exampleEvent({ data })] });
        expect((await store.readStream({ stream: events[0]?.stream ?? newOrderStream() }))[0]?.data).toEqual(data);
        expect((await readUntil(store, 1))[0]?.data).toEqual(data);
      }),
    );
  });
}

export function logScenarios(open: OpenStore): void {
  describe('the log', () => {
    it(
      'tells a reader how many events of its categories it has not seen, and how old the oldest is',
      onFreshStore(open, async (store, second) => {
        const categories = ['order'] as const;
        expect(await store.backlog({ after: null, categories })).toEqual({ events: 0, oldestAgeMs: 0 });
        const { events } = await appended(store, { events: eventsOf(3) });
        await appended(store, { stream: stockStream(shop, 'cup') });
        await readUntil(store, 4);
        const last = events.at(-1)?.position ?? null;
        for (const handle of [store, await second()]) {
          expect(await handle.backlog({ after: null, categories })).toMatchObject({ events: 3 });
          expect(await handle.backlog({ after: events[0]?.position ?? null, categories })).toMatchObject({ events: 2 });
          expect(await handle.backlog({ after: last, categories })).toEqual({ events: 0, oldestAgeMs: 0 });
          expect(await handle.backlog({ after: last, categories: ['stock', 'order'] })).toMatchObject({ events: 1 });
        }
        const { oldestAgeMs: before } = await store.backlog({ after: null, categories });
        await pause(20);
        const { oldestAgeMs: after } = await store.backlog({ after: null, categories });
        expect(after - before).toBeGreaterThanOrEqual(19);
        expect(await store.backlog({ after: null, categories: [] })).toEqual({ events: 0, oldestAgeMs: 0 });
      }),
    );

    it(
      'of an empty store has no head, no events and no checkpoint',
      onFreshStore(open, async (store) => {
        expect(await store.head()).toBeNull();
        expect(await store.readLog({ after: null, limit: 10 })).toEqual({ events: [], checkpoint: null, atEnd: true });
      }),
    );

    it(
      'is read from its beginning and from any position, in pages, with nothing after the head',
      onFreshStore(open, async (store, second) => {
        const events: RecordedEvent[] = [];
        for (let index = 0; index < 10; index += 1)
          events.push(...(await appended(store, { events: eventsOf(1 + (index % 3)) })).events);
        const head = events.at(-1)?.position ?? null;
        for (const handle of [store, await second()]) {
          expect(await readUntil(handle, events.length, { limit: 3 })).toEqual(events);
          expect(await readUntil(handle, events.length - 4, { after: events[3]?.position ?? null })).toEqual(
            events.slice(4),
          );
          expect(await handle.head()).toBe(head);
          expect(await handle.readLog({ after: head, limit: 5 })).toEqual({
            events: [],
            checkpoint: head,
            atEnd: true,
          });
        }
      }),
    );

    it(
      'tells where a page does not reach the end',
      onFreshStore(open, async (store) => {
        await appended(store, { events: eventsOf(5) });
        expect(await store.readLog({ after: null, limit: 3 })).toMatchObject({ atEnd: false });
        expect(await store.readLog({ after: null, limit: 100 })).toMatchObject({ atEnd: true });
      }),
    );

    it(
      'goes on inside one command: a page may end between its events, and none comes twice',
      onFreshStore(open, async (store) => {
        const { events } = await appended(store, { events: eventsOf(9) });
        expect(idsOf(await readUntil(store, 9, { limit: 2 }))).toEqual(idsOf(events));
      }),
    );

    it(
      'is filtered by category and by type, and its checkpoint moves past what the filter left out',
      onFreshStore(open, async (store) => {
        const { order, stock, fulfillment } = await oneOfEach(store);
        const head = await store.head();
        expect(await readUntil(store, 1, { categories: ['stock'] })).toEqual([stock]);
        expect(await readUntil(store, 2, { categories: ['order', 'fulfillment'] })).toEqual([order, fulfillment]);
        expect(await readUntil(store, 2, { types: ['OrderCancelled', 'StockReceived'] })).toEqual([order, stock]);
        const page = await store.readLog({ after: null, categories: ['order'], limit: 10 });
        expect(page).toEqual({ events: [order], checkpoint: head, atEnd: true });
        const nothing = await store.readLog({ after: null, types: ['OrderPlaced'], limit: 10 });
        expect(nothing).toEqual({ events: [], checkpoint: head, atEnd: true });
      }),
    );

    it(
      'is filtered by recorded time: from inclusive, to exclusive',
      onFreshStore(open, async (store) => {
        const events: RecordedEvent[] = [];
        for (let index = 0; index < 3; index += 1) {
          events.push(...(await appended(store)).events);
          await pause(5);
        }
        const [first, second, third] = events.map(({ recordedAt }) => recordedAt);
        if (first === undefined || second === undefined || third === undefined) throw new Error('three events');
        expect(await readUntil(store, 2, { recordedFrom: second })).toEqual(events.slice(1));
        expect(await readUntil(store, 1, { recordedTo: second })).toEqual(events.slice(0, 1));
        expect(await readUntil(store, 1, { recordedFrom: second, recordedTo: third })).toEqual(events.slice(1, 2));
      }),
    );

    it(
      'refuses a position of another epoch, beyond the head, or impossible to have been given',
      onFreshStore(open, async (store) => {
        const { position } = await appended(store);
        const foreign = `00000000${position.slice(8)}` as Position;
        const beyond = toPosition(store.epoch, { tx: 2n ** 62n, ordinal: 0 });
        const between = `${position}7` as Position;
        const absurd = `${store.epoch.slice(0, 8)}.99999999999999999999.9999999999` as Position;
        for (const after of [foreign, beyond, between, absurd, 'nonsense' as Position]) {
          await expect(store.readLog({ after, limit: 1 })).rejects.toMatchObject({
            code: 'FOREIGN_STORE',
            retryable: false,
          });
        }
      }),
    );

    it(
      'holds each stream in the order of its revisions while two processes race for the same streams',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const streams = Array.from({ length: 4 }, newOrderStream);
        const racers = [store, other, store, other].map((handle) => race(handle, streams));
        const total = 4 * streams.length * 15;
        const seen = await follow(store, total);
        await Promise.all(racers);
        expect(seen).toHaveLength(total);
        for (const stream of streams) {
          const revisions = seen.filter((event) => event.stream === stream).map(({ revision }) => revision);
          expect(revisions).toEqual(Array.from({ length: 4 * 15 }, (_, index) => index));
        }
      }),
    );

    it(
      'shows a follower every event once and each stream in order, while four writers append',
      onFreshStore(open, async (store, second) => {
        const other = await second();
        const streams = Array.from({ length: 8 }, newOrderStream);
        const writers = [store, other, store, other].map((handle, index) =>
          write(handle, streams.slice(index * 2, index * 2 + 2)),
        );
        const total = 8 * 60;
        const seen = await follow(await second(), total);
        await Promise.all(writers);
        expect(seen).toHaveLength(total);
        expect(new Set(idsOf(seen)).size).toBe(total);
        for (const stream of streams) {
          const revisions = seen.filter((event) => event.stream === stream).map(({ revision }) => revision);
          expect(revisions).toEqual(Array.from({ length: 60 }, (_, index) => index));
        }
        expect(idsOf(await readUntil(store, total))).toEqual(idsOf(seen));
        expectAscending(store, seen);
      }),
    );
  });
}

async function oneOfEach(
  store: EventStore,
): Promise<Record<'order' | 'stock' | 'fulfillment', RecordedEvent | undefined>> {
  const one = async (stream: StreamName, type: string): Promise<RecordedEvent | undefined> =>
    (await appended(store, { stream, events: [exampleEvent({ type })] })).events[0];
  return {
    order: await one(newOrderStream(), 'OrderCancelled'),
    stock: await one(stockStream(shop, 'sku-1'), 'StockReceived'),
    fulfillment: await one(fulfillmentStream('0193-order' as OrderId), 'FulfillmentCompleted'),
  };
}

/** Thirty rounds: on each stream one command of two events at a time, as deciders do. */
async function write(store: EventStore, streams: readonly StreamName[]): Promise<void> {
  for (let round = 0; round < 30; round += 1) {
    const expected = round === 0 ? 'none' : round * 2 - 1;
    await Promise.all(streams.map((stream) => store.append(exampleAppend({ stream, expected, events: eventsOf(2) }))));
  }
}

/** Fifteen commands on each stream, each decided on the head as it was read and decided again when it lost. */
async function race(store: EventStore, streams: readonly StreamName[]): Promise<void> {
  const onOne = async (stream: StreamName): Promise<void> => {
    for (let left = 15; left > 0;) {
      const head = (await store.readStream({ stream })).length;
      const result = await store.append(exampleAppend({ stream, expected: head === 0 ? 'none' : head - 1 }));
      if (result.outcome === 'appended') left -= 1;
    }
  };
  await Promise.all(streams.map(onOne));
}

async function follow(store: EventStore, count: number): Promise<readonly RecordedEvent[]> {
  const deadline = Date.now() + 15_000;
  const seen: RecordedEvent[] = [];
  let after: Position | null = null;
  while (seen.length < count && Date.now() < deadline) {
    const page = await store.readLog({ after, limit: 1 + Math.floor(Math.random() * 9) });
    seen.push(...page.events);
    after = page.checkpoint;
    if (Math.random() < 0.3) await pause(Math.random() * 4);
  }
  return seen;
}

function expectAscending(store: EventStore, events: readonly RecordedEvent[]): void {
  events.slice(1).forEach((event, index) => {
    expect(store.comparePositions(events[index]?.position ?? event.position, event.position)).toBeLessThan(0);
  });
}
