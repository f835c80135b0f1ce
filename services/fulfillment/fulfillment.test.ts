import { expect, it, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { views } from '../../projections/all.ts';
import { fulfillmentStream } from '../../schemas/ids.ts';
import type { SagaKey } from './call-step.ts';
import type { Observation } from './observe.ts';
import { openFulfillment, sagaDecider } from './open.ts';
import { openTestWorld, type TestWorld } from './test-world.ts';

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
  const loaded = vi.spyOn(readStore, 'loadCheckpoint');
  vi.spyOn(readStore, 'moveCheckpoint').mockResolvedValueOnce('moved');
  const key = await world.place();
  const life = run(fulfillment);
  await untilDispatched(world, key);
  await vi.waitFor(() => expect(loaded.mock.calls.length).toBe(2));
  await life.end();
  expect(observed.filter(({ what }) => what === 'checkpoint-refused')).toHaveLength(1);
});

async function opened() {
  const world = openTestWorld();
  const readStore: ReadStore = openMemoryReadStore();
  await readStore.prepare(views);
  const observed: Observation[] = [];
  const fulfillment = openFulfillment({
    ...world,
    transactor: openTransactor(world.store, { decider: sagaDecider, streamsMax: 100 }),
    feed: openLogFeed(world.store),
    readStore,
    unpaidExpiryMs: () => 900_000,
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
