import { afterEach, describe, expect, it, vi } from 'vitest';
import { openLogFeed } from '../infra/event-feed/log/log-feed.ts';
import { openTransactor } from '../infra/event-store/transact.ts';
import { openMemoryReadStore } from '../infra/read-store/memory/memory-read-store.ts';
import { openSagas } from '../projections/open-sagas/projection.ts';
import { projections } from '../projections/all.ts';
import { derivedId, fulfillmentStream, orderStream, type CommandId, type OrderId } from '../schemas/ids.ts';
import { openFulfillment, sagaDecider, type FulfillmentOptions } from '../services/fulfillment/open.ts';
import {
  cupOrder,
  openTestWorld,
  tenantId,
  type TestWorld,
  type WorldOptions,
} from '../services/fulfillment/test-world.ts';
import { runProjector } from '../services/projector/projector.ts';

const slipOrder = { ...cupOrder, payments: [{ method: 'bank_slip' }] };

type Flow = {
  readonly world: TestWorld;
  /** Starts a fulfillment process; what it returns stops it. */
  readonly start: (changes?: Partial<FulfillmentOptions>) => () => Promise<void>;
  readonly readStore: ReturnType<typeof openMemoryReadStore>;
  readonly place: TestWorld['place'];
  readonly orderTypes: (orderId: OrderId) => Promise<readonly string[]>;
  readonly sagaTypes: (orderId: OrderId) => Promise<readonly string[]>;
};

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** The whole flow in one process: real order, stock, feed, projections and fulfillment over memory. */
async function openFlow(options: WorldOptions = {}): Promise<Flow> {
  const world = openTestWorld(options);
  const feed = openLogFeed(world.store, { pollMs: 20, behindFencePollMs: 1 });
  const readStore = openMemoryReadStore();
  await readStore.prepare(projections.map(({ view }) => view));
  const projecting = new AbortController();
  const { signal } = projecting;
  const running = projections.map((projection) =>
    runProjector({ feed, store: world.store, readStore, projection, signal }),
  );
  cleanups.push(async () => {
    projecting.abort();
    await Promise.all(running);
  });
  const start = (changes: Partial<FulfillmentOptions> = {}): (() => Promise<void>) => {
    const stopping = new AbortController();
    const fulfillment = openFulfillment({
      ...world,
      transactor: openTransactor(world.store, { decider: sagaDecider, streamsMax: 100 }),
      feed,
      readStore,
      unpaidExpiryMs: () => 600_000,
      limits: { timersEveryMs: 5, watchdogEveryMs: 5, staleMs: 20, retryFirstMs: 5, deliveryCheckFirstMs: 5 },
      ...changes,
    });
    const run = fulfillment.run(stopping.signal);
    const stop = async (): Promise<void> => {
      stopping.abort();
      await run;
    };
    cleanups.push(stop);
    return stop;
  };
  return {
    world,
    start,
    readStore,
    place: world.place,
    orderTypes: (orderId) => world.typesOf(orderStream(orderId)),
    sagaTypes: (orderId) => world.typesOf(fulfillmentStream(orderId)),
  };
}

function eventually(check: () => Promise<void>): Promise<void> {
  return vi.waitFor(check, { timeout: 15_000, interval: 10 });
}

async function openStatuses({ readStore }: Flow): Promise<readonly string[]> {
  const statuses: string[] = [];
  for await (const { document } of readStore.scan(openSagas.view)) statuses.push(document.status);
  return statuses;
}

async function paySlip({ world }: Flow, orderId: OrderId): Promise<void> {
  const paymentId = derivedId(orderId, 'payment/1');
  const hold = { key: `slip/${orderId}/hold`, orderId, paymentId, amount: 1800, currency: 'EUR', method: 'bank_slip' };
  const held = await world.payments.authorize(hold);
  if (held.outcome !== 'succeeded') throw new Error('the slip was declined');
  const take = { ...hold, key: `slip/${orderId}`, authorizationId: held.providerId };
  const paid = await world.payments.capture(take);
  if (paid.outcome !== 'succeeded') throw new Error('the slip was declined');
  const { providerId } = paid;
  await world.orders.send({
    tenantId,
    commandId: `webhook-${orderId}` as CommandId,
    command: { type: 'RecordPaymentCaptured', orderId, paymentId, providerId, amount: 1800, currency: 'EUR' },
    correlationId: 'webhook',
    causationId: null,
  });
}

describe('the order flow', () => {
  it('delivers what is placed, before and after the start, and leaves no saga open', async () => {
    const flow = await openFlow({ logistics: { deliveryMs: 30 } });
    await flow.world.receive('cup', 1_000);
    const before = await Promise.all(Array.from({ length: 10 }, () => flow.place()));
    flow.start();
    const after = await Promise.all(Array.from({ length: 10 }, () => flow.place()));
    await eventually(async () => {
      for (const { orderId } of [...before, ...after]) {
        expect(await flow.orderTypes(orderId)).toContain('ShipmentDelivered');
        expect(await flow.sagaTypes(orderId)).toContain('FulfillmentCompleted');
      }
    });
    expect(await flow.world.stockOf('cup')).toMatchObject({ onHand: 1_000 - 60, reserved: 0 });
    await eventually(async () => {
      expect(await openStatuses(flow)).toEqual([]);
    });
  });

  it('waits for a slip, and delivers once it is paid', async () => {
    const flow = await openFlow();
    flow.start();
    const { orderId } = await flow.place(slipOrder);
    await eventually(async () => expect(await flow.sagaTypes(orderId)).toContain('StepSucceeded'));
    expect(await flow.orderTypes(orderId)).toEqual(['OrderPlaced']);
    await paySlip(flow, orderId);
    await eventually(async () => expect(await flow.orderTypes(orderId)).toContain('ShipmentDelivered'));
  });

  it('expires an order whose slip was not paid in time, once, and releases its stock', async () => {
    const flow = await openFlow();
    await flow.world.receive('cup', 10);
    flow.start({ unpaidExpiryMs: () => 50 });
    const { orderId } = await flow.place(slipOrder);
    await eventually(async () => expect(await flow.sagaTypes(orderId)).toContain('FulfillmentCompensated'));
    expect(await flow.orderTypes(orderId)).toEqual(['OrderPlaced', 'OrderExpired']);
    expect((await flow.sagaTypes(orderId)).filter((type) => type === 'TimerFired')).toHaveLength(1);
    expect(await flow.world.stockOf('cup')).toMatchObject({ onHand: 10, reserved: 0 });
  });

  it('fires an expiry after the start whose time passed while nothing ran, once, with two processes', async () => {
    const flow = await openFlow();
    const stop = flow.start({ unpaidExpiryMs: () => 100, limits: { timersEveryMs: 60_000 } });
    const { orderId } = await flow.place(slipOrder);
    await eventually(async () => expect(await flow.sagaTypes(orderId)).toContain('TimerScheduled'));
    await stop();
    flow.start();
    flow.start();
    await eventually(async () => expect(await flow.sagaTypes(orderId)).toContain('FulfillmentCompensated'));
    expect((await flow.sagaTypes(orderId)).filter((type) => type === 'TimerFired')).toHaveLength(1);
  });

  it('pays back a slip that was paid after the expiry', async () => {
    const flow = await openFlow();
    flow.start({ unpaidExpiryMs: () => 30 });
    const { orderId } = await flow.place(slipOrder);
    await eventually(async () => expect(await flow.sagaTypes(orderId)).toContain('FulfillmentCompensated'));
    await paySlip(flow, orderId);
    await eventually(async () => expect(await flow.orderTypes(orderId)).toContain('PaymentRefunded'));
    expect(flow.world.paymentLedger.filter(({ op }) => op === 'refund')).toHaveLength(1);
  });

  it('finishes what a process left that died between an attempt and its outcome, with one charge', async () => {
    const flow = await openFlow();
    let dead = false;
    const capture = (request: Parameters<TestWorld['payments']['capture']>[0]) => {
      dead = true;
      void flow.world.payments.capture(request);
      return new Promise<never>(() => undefined);
    };
    const { payments } = flow.world;
    const stop = flow.start({ payments: { ...payments, capture }, limits: { drainMs: 1 } });
    const { orderId } = await flow.place({ ...cupOrder, payments: [{ method: 'card' }] });
    await vi.waitFor(() => {
      expect(dead).toBe(true);
    });
    await stop();
    flow.start();
    await eventually(async () => expect(await flow.sagaTypes(orderId)).toContain('FulfillmentCompleted'));
    expect(flow.world.paymentLedger.filter(({ op }) => op === 'capture')).toHaveLength(1);
  });

  it('delivers the others where one saga meets a bug, and leaves that one to an operator', async () => {
    const flow = await openFlow();
    const { risk } = flow.world;
    const assess: typeof risk.assess = (request) => {
      if (request.customerId === 'poison') throw new TypeError('a bug');
      return risk.assess(request);
    };
    flow.start({ risk: { assess } });
    const poisoned = await flow.place({ ...cupOrder, customerId: 'poison' });
    const sound = await flow.place();
    await eventually(async () => {
      expect(await flow.sagaTypes(sound.orderId)).toContain('FulfillmentCompleted');
      expect(await flow.sagaTypes(poisoned.orderId)).toContain('FulfillmentQuarantined');
    });
    await eventually(async () => {
      expect(await openStatuses(flow)).toEqual(['quarantined']);
    });
  });

  it('starts no saga for imported history', async () => {
    const flow = await openFlow();
    flow.start();
    const call = { tenantId, commandId: 'old' as CommandId, correlationId: 'import' };
    const { orderId } = await flow.world.orderCommands.backfill(call, cupOrder, []);
    const live = await flow.place();
    await eventually(async () => expect(await flow.sagaTypes(live.orderId)).toContain('FulfillmentCompleted'));
    expect(await flow.sagaTypes(orderId)).toEqual([]);
  });
});
