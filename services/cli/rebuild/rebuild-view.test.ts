import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { exampleEvent, exampleAppend } from '../../../infra/event-store/contract/examples.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import type { ReadStore, Row } from '../../../infra/read-store/port.ts';
import { projections } from '../../../projections/all.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import type { Projection } from '../../../projections/projection.ts';
import { fulfillmentStream, orderStream, type OrderId } from '../../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../../test/postgres.ts';
import { runProjector } from '../../projector/projector.ts';
import { begun, money, placement } from '../verify/test-history.ts';
import { checkView } from './check-view.ts';
import { openFeedToHead } from './feed-to-head.ts';
import { rebuildView } from './rebuild-view.ts';

const never = new AbortController().signal;
const orders = 30;

describeWithPostgres('a rebuild', () => {
  let database: FreshDatabase;
  let store: EventStore;
  let readStore: ReadStore;

  beforeEach(async () => {
    database = await freshDatabase();
    store = await openEventStore(database.url);
    readStore = openReadStore(database.url);
    await readStore.prepare(projections.map(({ view }) => view));
    for (let index = 0; index < orders; index += 1) await grow(store);
  });
  afterEach(async () => {
    await store.close();
    await readStore.close();
    await database.drop();
  });

  const follow = async (projection: Projection): Promise<void> =>
    runProjector({ feed: await openFeedToHead(store), store, readStore, projection, batchMax: 7, signal: never });
  const check = (projection: Projection) =>
    checkView({ store, readStore, projection, isRunning: false, signal: never });

  it.each(projections.map((projection) => [projection.view.name, projection] as const))(
    'of %s gives the documents that following the log gave, whatever was in the view',
    async (_, projection) => {
      await follow(projection);
      const followed = await check(projection);
      expect(followed.differing).toBe(0);
      await spoil(readStore, projection);
      expect((await check(projection)).differing).toBe(3);
      const applied = await rebuildView({ store, readStore, projection, signal: never, batchMax: 11 });
      expect(applied).toBe(orders * 2);
      expect(await check(projection)).toEqual(followed);
    },
  );

  it('that is interrupted leaves a view from which the projector goes on', async () => {
    const interruption = new AbortController();
    const rebuilding = rebuildView({
      ...{ store, readStore, projection: orderSummary, batchMax: 5, signal: interruption.signal },
      onProgress: (count) => {
        if (count >= 20) interruption.abort();
      },
    });
    await expect(rebuilding).rejects.toMatchObject({ name: 'AbortError' });
    const part = await check(orderSummary);
    expect(part).toMatchObject({ differing: 0, remarks: [expect.stringContaining('behind the log')] as unknown });
    expect(part.documents).toBeLessThan(orders);
    await follow(orderSummary);
    expect(await check(orderSummary)).toMatchObject({ differing: 0, documents: orders, remarks: [] });
  });

  it('ends at the head as it was, however much is appended meanwhile', async () => {
    const growing: Promise<void>[] = [];
    const onProgress = (): void => void growing.push(grow(store));
    const applied = await rebuildView({
      store,
      readStore,
      projection: orderSummary,
      signal: never,
      batchMax: 10,
      onProgress,
    });
    await Promise.all(growing);
    expect(applied).toBeGreaterThanOrEqual(orders * 2);
    // At most the page in which the head was.
    expect(applied).toBeLessThanOrEqual(orders * 2 + 10);
  });

  it('gives up where a projector keeps the view meanwhile, and the view stays whole', async () => {
    let commits = 0;
    const withRival: ReadStore = {
      ...readStore,
      commit: async (batch) => {
        commits += 1;
        if (commits === 3) await follow(orderSummary);
        return readStore.commit(batch);
      },
    };
    const rebuilding = rebuildView({
      store,
      readStore: withRival,
      projection: orderSummary,
      signal: never,
      batchMax: 5,
    });
    await expect(rebuilding).rejects.toThrow('a projector keeps order-summary: stop it first');
    expect(await check(orderSummary)).toMatchObject({ differing: 0, documents: orders });
  });
});

/** One more order, with two events, and its saga, with as many. */
async function grow(store: EventStore): Promise<void> {
  const orderId = randomUUID() as OrderId;
  // Of one of three days, for the views that count by the day.
  const occurredAt = `2026-01-0${1 + (Number.parseInt(orderId.slice(0, 8), 16) % 3)}T00:00:00.000Z`;
  const placed = exampleEvent({ type: 'OrderPlaced', occurredAt, data: { ...placement, orderId } });
  const captured = exampleEvent({ type: 'PaymentCaptured', data: { ...money, orderId, providerId: 'x' } });
  const started = exampleEvent({ type: 'FulfillmentStarted', data: { ...begun.data, orderId } });
  const timer = { orderId, timerId: randomUUID(), kind: 'unpaid-expiry', delayMs: 900_000 };
  const scheduled = exampleEvent({ type: 'TimerScheduled', data: timer });
  await store.append(exampleAppend({ stream: orderStream(orderId), events: [placed, captured] }));
  await store.append(exampleAppend({ stream: fulfillmentStream(orderId), events: [started, scheduled] }));
}

/** A document that is another, one that should not be, and one that is missing. */
async function spoil(readStore: ReadStore, { view }: Projection): Promise<void> {
  const rows: Row[] = [];
  for await (const row of readStore.scan(view)) rows.push(row);
  const [first, second] = rows;
  const from = await readStore.loadCheckpoint(view.name, 'log');
  if (first === undefined || second === undefined || from === null) throw new Error(`nothing in ${view.name}`);
  const documents = [
    { ...first, document: { ...first.document, spoiled: true } },
    { ...first, key: 'stray' },
    { ...second, document: null },
  ];
  await readStore.commit({
    view,
    documents,
    progress: [],
    move: { consumer: view.name, partition: 'log', from, to: from },
  });
}
