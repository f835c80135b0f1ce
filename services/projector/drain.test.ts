import { expect, it } from 'vitest';
import type { EventStore } from '../../infra/event-store/port.ts';
import { anOrderId, appendAll, placement } from '../../projections/examples.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { openParkingDesk } from './parking.ts';
import {
  at,
  captured,
  describeOnReadStores,
  everything,
  healthy,
  openWorld,
  threeOrders,
  type OpenReadStore,
} from './test-parking-world.ts';
import { deliver, feedOf } from './test-poison.ts';

function drainSuite(open: OpenReadStore): void {
  it('drops later events of a discarded order, leaves its view, and still brings it back by a drain of that order', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const poison = at(events, 'two', 1);
    world.poison.set(poison.eventId, 'update');
    const feed = feedOf([deliver('1', ...events.slice(0, 6)), deliver('2', ...events.slice(6))]);
    const stop = new AbortController();
    await world.run({ feed: feedOf([deliver('1', ...events.slice(0, 6))]) });
    const discarded = await world.desk.discard({ selection: { orderId: anOrderId('two') }, limit: 9 });
    expect(discarded.items).toMatchObject([{ stream: poison.stream, outcome: 'discarded' }]);
    await world.run({ feed, signal: stop.signal });
    const [listed] = (await world.desk.list(everything)).items;
    expect(listed).toMatchObject({ state: 'discarded', events: 0, lastRevision: 2 });
    world.poison.clear();
    expect((await world.desk.drain(everything)).items).toEqual([]);
    expect(await world.view(events)).toEqual(world.foldOf(healthy(events, new Map([[poison.eventId, 'x']]))));
    await world.desk.drain({ selection: { orderId: anOrderId('two') }, limit: 9 });
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('drains also the event that came, and was parked, between the read of the store and the lock', async () => {
    const world = await openWorld(await open());
    const id = anOrderId('one');
    const events = [...(await appendAll(world.store, [placement(id)]))];
    for (const { eventId } of events) world.poison.set(eventId, 'update');
    await world.run({ feed: feedOf([deliver('1', ...events)]) });
    world.poison.clear();
    const overtaken = async (query: Parameters<EventStore['readStream']>[0]): Promise<readonly RecordedEvent[]> => {
      const page = await world.store.readStream(query);
      if (events.length > 1) return page;
      events.push(...(await appendAll(world.store, [captured(id)])));
      await world.run({ feed: feedOf([deliver('1'), deliver('2', ...events.slice(1))]) });
      return page;
    };
    const snapshots = { remove: () => Promise.resolve() };
    const desk = openParkingDesk({
      ...world,
      store: { readStream: overtaken },
      projections: [world.projection],
      snapshots,
    });
    expect((await desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('counts the drains that failed, and takes the new error', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    world.poison.set(at(events, 'two', 1).eventId, 'changes');
    await world.run({ feed: feedOf([deliver('1', ...events)]) });
    const [before] = (await world.desk.list(everything)).items;
    world.poison.clear();
    world.poison.set(at(events, 'two', 2).eventId, 'update');
    expect((await world.desk.drain(everything)).items).toMatchObject([{ outcome: 'parked' }]);
    const [after] = (await world.desk.list(everything)).items;
    expect(after).toMatchObject({ attempts: 1, firstRevision: 2, events: 1, since: before?.since });
    expect(after?.fingerprint).not.toBe(before?.fingerprint);
    expect(await world.view(events)).toEqual(world.foldOf(healthy(events, world.poison)));
  });
}

describeOnReadStores('a drain', { all: drainSuite });
