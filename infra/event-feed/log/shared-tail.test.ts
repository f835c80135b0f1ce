import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Position } from '../../../schemas/envelope.ts';
import type { Category } from '../../../schemas/ids.ts';
import { exampleAppend } from '../../event-store/contract/examples.ts';
import { openMemoryEventStore } from '../../event-store/memory/memory-event-store.ts';
import type { EventStore, LogQuery } from '../../event-store/port.ts';
import { sharedTail } from './shared-tail.ts';

/** One turn: somebody appends, or one of three readers asks for its next page. */
const turn = fc.oneof(
  fc.record({ append: fc.constantFrom<Category>('order', 'stock') }),
  fc.record({ reader: fc.nat(2), limit: fc.integer({ min: 1, max: 4 }) }),
);

const readers: readonly (readonly Category[] | undefined)[] = [undefined, ['order'], ['stock', 'fulfillment']];

describe('the shared tail', () => {
  it('gives every reader each event of its categories once and in order, in whatever turns they ask', () =>
    fc.assert(
      fc.asyncProperty(fc.array(turn, { maxLength: 60 }), fc.integer({ min: 1, max: 6 }), async (turns, eventsMax) => {
        const store = openMemoryEventStore();
        const read = sharedTail(store, { eventsMax });
        const followers = readers.map((categories) => ({
          categories,
          after: null as Position | null,
          seen: [] as Position[],
        }));
        const ask = async (reader: number, limit: number): Promise<boolean> => {
          const follower = followers[reader];
          if (follower === undefined) return true;
          const { after, categories } = follower;
          const page = await read({ after, limit, ...(categories === undefined ? {} : { categories }) });
          follower.after = page.checkpoint;
          follower.seen.push(...page.events.map(({ position }) => position));
          return page.atEnd;
        };
        for (const each of turns) {
          if ('append' in each) await appendTo(store, each.append);
          else await ask(each.reader, each.limit);
        }
        for (const [reader, { categories, seen }] of followers.entries()) {
          for (let rounds = 0; !(await ask(reader, 3)) && rounds < 200; rounds += 1);
          await ask(reader, 100);
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

  it('asks the store once for what several readers wait for', async () => {
    const store = openMemoryEventStore();
    const asked: LogQuery[] = [];
    const counting = {
      readLog: (query: LogQuery) => {
        asked.push(query);
        return store.readLog(query);
      },
    };
    await appendTo(store, 'order');
    const read = sharedTail(counting);
    const { checkpoint } = await read({ after: null, limit: 10 });
    asked.length = 0;
    await appendTo(store, 'order');
    const pages = await Promise.all(Array.from({ length: 5 }, () => read({ after: checkpoint, limit: 10 })));
    expect(asked).toHaveLength(1);
    expect(pages.map(({ events }) => events.length)).toEqual([1, 1, 1, 1, 1]);
  });
});

async function appendTo(store: EventStore, category: Category): Promise<void> {
  const append = exampleAppend();
  const stream = category === 'stock' ? (`stock-default~${append.stream}` as typeof append.stream) : append.stream;
  const result = await store.append({ ...append, stream });
  expect(result.outcome).toBe('appended');
}
