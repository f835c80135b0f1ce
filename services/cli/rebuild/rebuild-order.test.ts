import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { exampleAppend, exampleEvent } from '../../../infra/event-store/contract/examples.ts';
import { openLogFeed } from '../../../infra/event-feed/log/log-feed.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import type { Document, ReadStore } from '../../../infra/read-store/port.ts';
import { projections } from '../../../projections/all.ts';
import { dailySales } from '../../../projections/daily-sales/projection.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import type { Projection } from '../../../projections/projection.ts';
import { sagaTimers } from '../../../projections/saga-timers/projection.ts';
import { fulfillmentStream, orderStream, type OrderId } from '../../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase, type FreshDatabase } from '../../../test/postgres.ts';
import { runProjector } from '../../projector/projector.ts';
import { money, placement } from '../verify/test-history.ts';
import { checkView } from './check-view.ts';
import { rebuildOrder } from './rebuild-order.ts';

const never = new AbortController().signal;

describeWithPostgres('a rebuild of one order', () => {
  let database: FreshDatabase;
  let store: EventStore;
  let readStore: ReadStore;
  let projecting: AbortController;
  let projectors: Promise<unknown>;

  beforeEach(async () => {
    database = await freshDatabase();
    store = await openEventStore(database.url);
    readStore = openReadStore(database.url);
    await readStore.prepare(projections.map(({ view }) => view));
    follow();
  });
  afterEach(async () => {
    await stop();
    await store.close();
    await readStore.close();
    await database.drop();
  });

  /** Starts the projectors. They remember the documents that they wrote last. */
  const follow = (): void => {
    projecting = new AbortController();
    const feed = openLogFeed(store, { pollMs: 20 });
    const { signal } = projecting;
    projectors = Promise.all(
      projections.map((projection) => runProjector({ feed, store, readStore, projection, signal })),
    );
  };
  const stop = async (): Promise<void> => {
    projecting.abort();
    await projectors;
  };
  const documentOf = async (orderId: OrderId): Promise<Document | null> =>
    (await readStore.find(orderSummary.view, [{ tenantId: exampleAppend().tenantId, key: orderId }]))[0] ?? null;
  const versionReached = async (orderId: OrderId, version: number): Promise<void> => {
    await expect.poll(async () => (await documentOf(orderId))?.version, { timeout: 20_000 }).toBe(version);
  };
  const rebuild = (orderId: OrderId, projection: Projection = orderSummary) =>
    rebuildOrder({ store, readStore, projection, orderId });
  const differing = async (projection: Projection): Promise<number> => {
    const checked = await checkView({ store, readStore, projection, isRunning: true, signal: never });
    return checked.differing;
  };

  it('mends its document, and the projector that remembers the wrong one goes on from the right one', async () => {
    const orderId = await place(store);
    await versionReached(orderId, 1);
    await stop();
    const right = await documentOf(orderId);
    await write(orderSummary, [[orderId, { ...right, customerId: 'spoiled' }]]);
    // It loads the wrong document, folds the payment into it, and remembers it.
    follow();
    await pay(store, orderId, 0);
    await versionReached(orderId, 2);
    expect(await documentOf(orderId)).toMatchObject({ customerId: 'spoiled' });
    expect(await rebuild(orderId)).toMatchObject({ outcome: 'rebuilt', documents: 1, parked: false });
    expect(await documentOf(orderId)).toMatchObject({ customerId: placement.customerId, version: 2 });
    await pay(store, orderId, 1);
    await versionReached(orderId, 3);
    expect(await differing(orderSummary)).toBe(0);
    expect(await rebuild(orderId)).toMatchObject({ outcome: 'unchanged' });
  });

  it('meets a projector that moves the order on all the time', async () => {
    const orderId = await place(store);
    const payments = 60;
    const paying = (async () => {
      for (let revision = 0; revision < payments; revision += 1) await pay(store, orderId, revision);
    })();
    await expect.poll(() => documentOf(orderId), { timeout: 20_000 }).not.toBeNull();
    for (let round = 0; round < 5; round += 1) await rebuild(orderId);
    await paying;
    await versionReached(orderId, payments + 1);
    expect(await differing(orderSummary)).toBe(0);
  });

  it('mends documents under other keys than the order’s, and removes those that should not be', async () => {
    const orderId = randomUUID() as OrderId;
    const timer = { orderId, timerId: 't1', kind: 'unpaid-expiry', delayMs: 900_000 };
    const scheduled = exampleEvent({ type: 'TimerScheduled', data: timer });
    const second = exampleEvent({ type: 'TimerScheduled', data: { ...timer, timerId: 't2' } });
    const cancelled = exampleEvent({ type: 'TimerCancelled', data: { orderId, timerId: 't2' } });
    const events = [scheduled, second, cancelled];
    await store.append(exampleAppend({ stream: fulfillmentStream(orderId), events }));
    await expect.poll(() => differing(sagaTimers), { timeout: 20_000 }).toBe(0);
    await expect.poll(async () => (await readStore.loadCheckpoint('saga-timers', 'log')) !== null).toBe(true);
    const [right] = await readStore.find(sagaTimers.view, [{ tenantId: exampleAppend().tenantId, key: 't1' }]);
    await write(sagaTimers, [
      ['t1', { ...right, kind: 'spoiled' }],
      ['t2', { ...right, timerId: 't2' }],
    ]);
    expect(await differing(sagaTimers)).toBe(2);
    expect(await rebuild(orderId, sagaTimers)).toMatchObject({ outcome: 'rebuilt', documents: 2 });
    expect(await differing(sagaTimers)).toBe(0);
  });

  it('is refused where a document is of many orders, and where the view has not seen the order', async () => {
    const orderId = await place(store);
    await versionReached(orderId, 1);
    await expect(rebuild(orderId, dailySales)).rejects.toThrow('rebuild it whole');
    await expect(rebuild(randomUUID() as OrderId)).rejects.toThrow('order-summary has seen nothing of order-');
  });

  /** Beside the projector: its checkpoint stays where it is. */
  const write = async (
    { view }: Projection,
    documents: readonly (readonly [key: string, document: Document])[],
  ): Promise<void> => {
    const from = await readStore.loadCheckpoint(view.name, 'log');
    if (from === null) throw new Error('the view is empty');
    const { tenantId } = exampleAppend();
    const rows = documents.map(([key, document]) => ({ tenantId, key, document }));
    const move = { consumer: view.name, partition: 'log', from, to: from };
    const outcome = await readStore.commit({ view, documents: rows, progress: [], move });
    if (outcome === 'moved') await write({ view } as Projection, documents);
  };
});

async function place(store: EventStore): Promise<OrderId> {
  const orderId = randomUUID() as OrderId;
  const placed = exampleEvent({ type: 'OrderPlaced', data: { ...placement, orderId } });
  await store.append(exampleAppend({ stream: orderStream(orderId), events: [placed] }));
  return orderId;
}

async function pay(store: EventStore, orderId: OrderId, expected: number): Promise<void> {
  const captured = exampleEvent({ type: 'PaymentCaptured', data: { ...money, orderId, providerId: randomUUID() } });
  await store.append(exampleAppend({ stream: orderStream(orderId), expected, events: [captured] }));
}
