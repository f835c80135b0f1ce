import { expect, it, vi } from 'vitest';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { newEventId } from '../../schemas/ids.ts';
import { openParkingDesk } from './parking.ts';
import {
  at,
  describeOnReadStores,
  everything,
  openWorld,
  threeOrders,
  type OpenReadStore,
} from './test-parking-world.ts';
import { deliver, feedOf } from './test-poison.ts';

/** What is wrong is not an event, but what the feed, the store or the views tell of them. */
function historySuite(open: OpenReadStore): void {
  it('parks nothing for an outage, of the views or of the store', async () => {
    const readStore = await open();
    const world = await openWorld(readStore);
    const events = await threeOrders(world.store);
    const down = (code: 'VIEWS_UNAVAILABLE' | 'STORE_UNAVAILABLE') => () =>
      Promise.reject(new OperationalFailure(code, 'a cable', { retryable: true }));
    const find = vi.fn<ReadStore['find']>().mockImplementationOnce(down('VIEWS_UNAVAILABLE'));
    find.mockImplementation((view, keys) => readStore.find(view, keys));
    const readStream = vi.fn<EventStore['readStream']>().mockImplementationOnce(down('STORE_UNAVAILABLE'));
    readStream.mockImplementation((query) => world.store.readStream(query));
    const gap = feedOf([deliver('1', ...events.slice(0, 3)), deliver('2', ...events.slice(6))]);
    await world.run({ feed: gap, store: { readStream }, readStore: { ...readStore, find: find as ReadStore['find'] } });
    expect(world.parked).toEqual([]);
    const [first, second] = [events.slice(0, 6), events.slice(6)];
    expect(await world.view(events)).toEqual(world.foldOf([...first, ...second]));
  });

  it('parks a gap that the store has as well, and drains it once the store tells', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const without = events.filter((event) => event !== at(events, 'one', 1));
    const lacking: Pick<EventStore, 'readStream'> = {
      readStream: async (query) => (await world.store.readStream(query)).filter((event) => without.some(({ eventId }) => eventId === event.eventId)), // prettier-ignore
    };
    await world.run({ feed: feedOf([deliver('1', ...without)]), store: lacking });
    const lost = [at(events, 'one', 1), at(events, 'one', 2)];
    expect(await world.view(events)).toEqual(world.foldOf(events.filter((event) => !lost.includes(event))));
    expect(world.parked).toMatchObject([{ firstRevision: 2, error: expect.stringMatching(/^Gap: /) as string }]);
    const snapshots = { remove: () => Promise.resolve() };
    const blind = openParkingDesk({ ...world, store: lacking, projections: [world.projection], snapshots });
    expect((await blind.drain(everything)).items).toMatchObject([{ outcome: 'parked' }]);
    expect((await world.desk.list(everything)).items).toMatchObject([{ attempts: 1, lastRevision: 2 }]);
    expect((await world.desk.drain(everything)).items).toMatchObject([{ outcome: 'drained' }]);
    expect(await world.view(events)).toEqual(world.foldOf(events));
  });

  it('drains a fork that only the feed told, and keeps one that the store has', async () => {
    const world = await openWorld(await open());
    const events = await threeOrders(world.store);
    const told = { ...at(events, 'one', 0), eventId: newEventId() };
    const other = { ...at(events, 'two', 0), eventId: newEventId() };
    const rest = events.filter(({ revision }) => revision > 0);
    const first = [at(events, 'one', 0), other, at(events, 'three', 0)];
    const second = [told, at(events, 'two', 0), ...rest];
    await world.run({ feed: feedOf([deliver('1', ...first), deliver('2', ...second)]) });
    expect(world.parked.map(({ error }) => error.slice(0, 5))).toEqual(['Fork:', 'Fork:']);
    const outcomes = (await world.desk.drain(everything)).items.map(({ stream, outcome }) => [stream, outcome]);
    expect(outcomes).toContainEqual([told.stream, 'drained']);
    expect(outcomes).toContainEqual([other.stream, 'parked']);
    const { streams } = await world.view(events);
    expect(streams[told.stream]).toEqual(world.foldOf(events).streams[told.stream]);
    expect(streams[other.stream]).toEqual([other.eventId]);
  });
}

describeOnReadStores('a wrong history', { all: historySuite });
