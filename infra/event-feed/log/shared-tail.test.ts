import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Position } from '../../../schemas/envelope.ts';
import type { Category } from '../../../schemas/ids.ts';
import { exampleAppend } from '../../event-store/contract/examples.ts';
import { openMemoryEventStore } from '../../event-store/memory/memory-event-store.ts';
import type { EventStore, LogPage, LogQuery } from '../../event-store/port.ts';
import { sharedTail } from './shared-tail.ts';

/** One turn: somebody appends, or one of three readers asks for its next page. */
const turn = fc.oneof(
  fc.record({ append: fc.constantFrom<Category>('order', 'stock') }),
  fc.record({ reader: fc.nat(2), limit: fc.integer({ min: 1, max: 4 }) }),
);

/** Small enough that the kept events are dropped, and overtaken by more than one page. */
const sizes = fc.record({ eventsMax: fc.integer({ min: 1, max: 6 }), pullMax: fc.integer({ min: 1, max: 3 }) });

const readers: readonly (readonly Category[] | undefined)[] = [undefined, ['order'], ['stock', 'fulfillment']];

describe('the shared tail', () => {
  it('gives every reader each event of its categories once and in order, in whatever turns they ask', () =>
    fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 60 }), sizes, async (turns, size) => {
        const store = openMemoryEventStore();
        const read = sharedTail(store, size);
        const followers = readers.map((categories) => ({
          categories,
          after: null as Position | null,
          seen: [] as Position[],
        }));
        const ask = async (reader: number, limit: number): Promise<void> => {
          const follower = followers[reader];
          if (follower === undefined) return;
          const { after, categories } = follower;
          const page = await read({ after, limit, ...(categories === undefined ? {} : { categories }) });
          follower.after = page.checkpoint;
          follower.seen.push(...page.events.map(({ position }) => position));
        };
        for (const each of turns) {
          if ('append' in each) await appendTo(store, each.append);
          else await ask(each.reader, each.limit);
        }
        const head = await store.head();
        for (const [reader, follower] of followers.entries()) {
          const { categories, seen } = follower;
          for (let rounds = 0; follower.after !== head && rounds < 200; rounds += 1) await ask(reader, 3);
          const all = await store.readLog({
            after: null,
            limit: 1_000,
            ...(categories === undefined ? {} : { categories }),
          });
          expect(seen).toEqual(all.events.map(({ position }) => position));
        }
      }),
      { numRuns: 200 },
    ));

  it('keeps that where readers and appends overtake each other', () =>
    fc.assert(
      fc.asyncProperty(fc.scheduler(), sizes, async (scheduler, size) => {
        const store = openMemoryEventStore();
        const readLog = async (query: LogQuery): Promise<LogPage> => {
          const page = await store.readLog(query);
          return scheduler.schedule(Promise.resolve(page));
        };
        const read = sharedTail({ ...store, readLog }, size);
        let isWritten = false;
        const write = async (): Promise<void> => {
          for (let count = 0; count < 12; count += 1) {
            await scheduler.schedule(Promise.resolve());
            await appendTo(store, 'order');
          }
          isWritten = true;
        };
        const follow = async (limit: number): Promise<readonly Position[]> => {
          const seen: Position[] = [];
          let after: Position | null = null;
          while (!isWritten || after !== (await store.head())) {
            const page = await read({ after, limit });
            after = page.checkpoint;
            seen.push(...page.events.map(({ position }) => position));
          }
          return seen;
        };
        const followers = Promise.all([1, 2, 3, 20].map(follow));
        await scheduler.waitFor(Promise.all([write(), followers]));
        const { events } = await store.readLog({ after: null, limit: 1_000 });
        const positions = events.map(({ position }) => position);
        expect(await followers).toEqual([positions, positions, positions, positions]);
      }),
      { numRuns: 200 },
    ));

  it('asks the store once for what several readers wait for', async () => {
    const { store, asked } = countingStore();
    await appendTo(store, 'order');
    const read = sharedTail(store);
    const { checkpoint } = await read({ after: null, limit: 10 });
    asked.length = 0;
    await appendTo(store, 'order');
    const pages = await Promise.all(Array.from({ length: 5 }, () => read({ after: checkpoint, limit: 10 })));
    expect(asked).toHaveLength(1);
    expect(pages.map(({ events }) => events.length)).toEqual([1, 1, 1, 1, 1]);
  });

  it.each([
    ['some events', 5],
    ['many', 50],
  ])('asks the store once for all of them also where they are %s ahead of who came first', async (_, ahead) => {
    const { store, asked } = countingStore();
    await appendTo(store, 'order');
    const read = sharedTail(store, { pullMax: 10 });
    await read({ after: null, limit: 10 });
    for (let count = 0; count < ahead; count += 1) await appendTo(store, 'order');
    const follow = async (after: Position | null): Promise<Position | null> =>
      (await read({ after, limit: 100 })).checkpoint;
    let places: readonly (Position | null)[] = await Promise.all(Array.from({ length: 4 }, () => follow(null)));
    asked.length = 0;
    for (let round = 0; round < 100; round += 1) {
      await appendTo(store, 'order');
      places = await Promise.all(places.map(follow));
    }
    expect(asked).toHaveLength(100);
    expect(new Set(places)).toEqual(new Set([await store.head()]));
  });

  it('comes to one read for all where readers that catch up and appends take turns', async () => {
    const { store, asked } = countingStore();
    const read = sharedTail(store, { pullMax: 10 });
    const places: (Position | null)[] = [null, null, null, null];
    const round = async (): Promise<void> => {
      for (const [reader, after] of places.entries()) {
        await appendTo(store, 'order');
        places[reader] = (await read({ after, limit: 100 })).checkpoint;
      }
    };
    for (let rounds = 0; rounds < 3; rounds += 1) await round();
    asked.length = 0;
    for (let rounds = 0; rounds < 25; rounds += 1) await round();
    // Each reader asks after an append of its own: what the three before it read is in memory.
    expect(asked.every(({ limit }) => limit === 10)).toBe(true);
    expect(asked.length).toBeLessThanOrEqual(100);
  });
});

function countingStore(): { readonly store: EventStore; readonly asked: LogQuery[] } {
  const store = openMemoryEventStore();
  const asked: LogQuery[] = [];
  const readLog = (query: LogQuery): Promise<LogPage> => {
    asked.push(query);
    return store.readLog(query);
  };
  return { store: { ...store, readLog }, asked };
}

async function appendTo(store: EventStore, category: Category): Promise<void> {
  const append = exampleAppend();
  const stream = category === 'stock' ? (`stock-default~${append.stream}` as typeof append.stream) : append.stream;
  const result = await store.append({ ...append, stream });
  expect(result.outcome).toBe('appended');
}
