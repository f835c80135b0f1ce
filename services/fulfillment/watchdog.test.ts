import { expect, it } from 'vitest';

import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { openSagas, type OpenSaga } from '../../projections/open-sagas/projection.ts';
import { foldDocument } from '../../projections/projection.ts';
import type { Position, RecordedEvent } from '../../schemas/envelope.ts';
import { fulfillmentStream } from '../../schemas/ids.ts';
import type { SagaKey } from './call-step.ts';
import { nextEffect, sagaDecider } from './saga.ts';
import type { SagaState } from './saga-state.ts';
import { beginLife, cupOrder, openTestWorld, tenantId, type TestWorld, type WorldOptions } from './test-world.ts';
import { openWatchdog } from './watchdog.ts';
import { defaultLimits } from './limits.ts';

/** What the saga's stream was after each append. */
function appendsOf(events: readonly RecordedEvent[]): readonly (readonly RecordedEvent[])[] {
  return events.flatMap(({ commandId }, index) =>
    events[index + 1]?.commandId === commandId ? [] : [events.slice(0, index + 1)],
  );
}

function stateOf(events: readonly RecordedEvent[]): SagaState {
  return events.reduce((state, event) => sagaDecider.evolve(state, event as never), sagaDecider.initial);
}

function documentOf(events: readonly RecordedEvent[], { orderId }: SagaKey): OpenSaga | null {
  return foldDocument(openSagas, events, { key: orderId, document: null });
}

async function eventsOf({ store }: TestWorld, { orderId }: SagaKey): Promise<readonly RecordedEvent[]> {
  return store.readStream({ stream: fulfillmentStream(orderId) });
}

const slip = { ...cupOrder, payments: [{ method: 'bank_slip' }] };
let questions = 0;
const slowParcel = { deliveryMs: 3_000, now: () => new Date(questions * 1_000), refuse: () => void (questions += 1) };

const lives: readonly (readonly [string, WorldOptions, typeof cupOrder])[] = [
  ['is delivered', {}, cupOrder],
  ['waits for its slip', {}, slip],
  ['waits for its parcel', { logistics: slowParcel }, cupOrder],
  ['is refused by the risk check', { risk: { reject: () => 'SCORE' } }, cupOrder],
  ['cannot be booked', { logistics: { refuse: ({ op }) => (op === 'book' ? 'NO_ROUTE' : undefined) } }, cupOrder],
];

it.each(lives)('a saga that %s is under way just while it has something to call', async (_, options, order) => {
  const world = openTestWorld(options);
  await world.receive('cup', 10);
  const key = await world.place(order);
  await beginLife(world).work(key);
  const prefixes = appendsOf(await eventsOf(world, key));
  expect(prefixes.length).toBeGreaterThan(1);
  for (const prefix of prefixes) {
    const isCalling = documentOf(prefix, key)?.activity === 'calling';
    expect(isCalling, prefix.at(-1)?.type).toBe(nextEffect(stateOf(prefix)) !== null);
  }
});

it('drives what a dead process left, at once, and no saga that waits', async () => {
  const world = openTestWorld();
  await world.receive('cup', 100);
  const [left, waits] = [await world.place(), await world.place(slip)];
  const dead = beginLife(world, { diesAt: 6 });
  await Promise.race([dead.work(left), dead.died]);
  await beginLife(world).work(waits);
  const readStore = await viewOf(world, [left, waits]);
  const life = beginLife(world);
  const redriven: string[] = [];
  const round = openWatchdog({
    ...{ readStore, driver: life.driver, limits: defaultLimits, clock: { now: () => 0 } },
    observe: (observation) => observation.what === 'redriven' && redriven.push(observation.orderId),
  });
  expect(await round()).toBe(1);
  await life.driver.idle();
  expect(redriven).toEqual([left.orderId]);
  expect(nextEffect(stateOf(await eventsOf(world, left)))).toBeNull();
});

async function viewOf(world: TestWorld, keys: readonly SagaKey[]) {
  const readStore = openMemoryReadStore();
  await readStore.prepare([openSagas.view]);
  const documents = await Promise.all(
    keys.map(async (key) => ({
      ...{ tenantId, key: key.orderId },
      document: documentOf(await eventsOf(world, key), key),
    })),
  );
  const move = { consumer: openSagas.view.name, partition: 'log', from: null, to: '1' as Position };
  await readStore.commit({ view: openSagas.view, documents, progress: [], move });
  return readStore;
}
