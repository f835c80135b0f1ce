import { expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { views } from '../../projections/all.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import { sagaTimers } from '../../projections/saga-timers/projection.ts';
import type { OrderInput } from '../../schemas/commands.ts';
import { fulfillmentStream, orderStream } from '../../schemas/ids.ts';
import { runProjector } from '../projector/projector.ts';
import type { SagaKey } from './call-step.ts';
import type { Observation } from './observe.ts';
import { openFulfillment, sagaDecider } from './open.ts';
import { cupOrder, openTestWorld, type TestWorld } from './test-world.ts';
import { openWaitingOrders } from './waiting-orders.ts';

it('drives sagas again in its next run, after one that ended', async () => {
  const { world, fulfillment } = await opened();
  const first = await world.place();
  const life = run(fulfillment);
  await untilDispatched(world, first);
  await life.end();
  const second = await world.place();
  const next = run(fulfillment);
  await untilDispatched(world, second);
  await next.end();
});

it('goes on from where another process moved the checkpoint to, and counts the refused move', async () => {
  const { world, readStore, fulfillment, observed } = await opened();
  const loaded = vi.spyOn(readStore, 'loadPlace');
  const moveCheckpoint = readStore.moveCheckpoint.bind(readStore);
  vi.spyOn(readStore, 'moveCheckpoint').mockImplementationOnce(async (move) => {
    await moveCheckpoint(move);
    return 'moved';
  });
  const key = await world.place();
  const life = run(fulfillment);
  await untilDispatched(world, key);
  // At its start, to see why it was refused, and at the start after that.
  await vi.waitFor(() => expect(loaded.mock.calls.length).toBe(3));
  await life.end();
  expect(observed.filter(({ what }) => what === 'checkpoint-refused')).toHaveLength(1);
});

it('fulfills an order that it could not read, once an operator had it told again after the fix', async () => {
  let isBroken = true;
  const { world, readStore, fulfillment, observed } = await opened((method) => {
    if (isBroken && method === 'voucher') throw new TypeError('no such method');
    return 900_000;
  });
  const projecting = new AbortController();
  const common = { feed: openLogFeed(world.store), store: world.store, readStore, signal: projecting.signal };
  const projectors = [
    runProjector({ ...common, projection: openSagas }),
    runProjector({ ...common, projection: sagaTimers }),
  ];
  const life = run(fulfillment);
  const [broken, fine] = [await world.place(), await world.place(withoutVoucher)];
  await untilDispatched(world, fine);
  expect(observed).toContainEqual(expect.objectContaining({ what: 'order-parked', orderId: broken.orderId }));
  expect(await world.typesOf(fulfillmentStream(broken.orderId))).toEqual([]);
  isBroken = false;
  const transactor = openTransactor(world.store, { decider: sagaDecider, streamsMax: 100 });
  const waiting = openWaitingOrders({ store: world.store, readStore, transactor, unpaidExpiryMs: () => 900_000 });
  expect(await waiting.drain(orderStream(broken.orderId))).toBe('drained');
  // Nobody woke the driver: the watchdog finds a saga that stands still.
  await untilDispatched(world, broken);
  await life.end();
  projecting.abort();
  await Promise.all(projectors);
});

const withoutVoucher: OrderInput = { ...cupOrder, payments: [{ method: 'card', amount: 1_800, token: 'tok_ok' }] };

async function opened(unpaidExpiryMs: (method: string) => number = () => 900_000) {
  const world = openTestWorld();
  const readStore: ReadStore = openMemoryReadStore();
  await readStore.prepare(views);
  const observed: Observation[] = [];
  const fulfillment = openFulfillment({
    ...world,
    transactor: openTransactor(world.store, { decider: sagaDecider, streamsMax: 100 }),
    feed: openLogFeed(world.store),
    readStore,
    unpaidExpiryMs,
    observe: (observation) => observed.push(observation),
  });
  return { world, readStore, fulfillment, observed };
}

function run(fulfillment: ReturnType<typeof openFulfillment>) {
  const stopping = new AbortController();
  const ended = fulfillment.run(stopping.signal);
  return {
    end: (): Promise<void> => {
      stopping.abort();
      return ended;
    },
  };
}

async function untilDispatched(world: TestWorld, { orderId }: SagaKey): Promise<void> {
  const dispatched = (): boolean =>
    world.shipmentLedger.some((entry) => entry.orderId === orderId && entry.result === 'dispatched');
  await vi.waitFor(() => expect(dispatched()).toBe(true), { timeout: 10_000 });
  expect(await world.typesOf(fulfillmentStream(orderId))).toContain('StepSucceeded');
}
