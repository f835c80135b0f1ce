import { describe, expect, it, vi } from 'vitest';

import { stockStream } from '../../../schemas/ids.ts';
import { appended, exampleEvent, shop } from '../../event-store/contract/examples.ts';
import type { Checkpoint } from '../port.ts';
import { consume, manyEvents, onFresh, openGate, soon, type FeedUnderTest } from './consume.ts';

/** What a feed on the store's log promises besides: its checkpoints are the store's own positions. */
export function logFeedContract(name: string, open: () => Promise<FeedUnderTest>): void {
  const fresh = onFresh(open);
  describe(`event feed on ${name}, whose positions are the store's`, () => {
    it(
      'goes on from a stored checkpoint: the head for new events only, or any other',
      fresh(async ({ feed, store }) => {
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
      'brings the asked categories only, while catching up and live, and moves the checkpoint past the others',
      fresh(async ({ feed, store }) => {
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
      fresh(async ({ feed, store }) => {
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
      'refuses a checkpoint of another store or beyond the head',
      fresh(async ({ feed, store }) => {
        const { position } = await appended(store);
        for (const from of [`00000000${position.slice(8)}`, `${position}9`] as Checkpoint[]) {
          await expect(consume(feed, { from }).ended).rejects.toMatchObject({ code: 'FOREIGN_STORE' });
        }
      }),
    );
  });
}
