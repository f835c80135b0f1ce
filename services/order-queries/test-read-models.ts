import { openEventFeed } from '../../infra/event-feed/open.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { openMemoryOrderSnapshots } from '../../infra/order-snapshots/memory/memory-order-snapshots.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ParkedStream } from '../../infra/read-store/parking.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openMemorySubjectKeys } from '../../infra/subject-keys/memory/memory-subject-keys.ts';
import { dailySales } from '../../projections/daily-sales/projection.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { openOrderQueries, type OrderQueries } from './order-queries.ts';

/** A store, views and who reads them, for the tests of read models. */
export type World = { readonly store: EventStore; readonly readStore: ReadStore; readonly queries: OrderQueries };

export async function openWorld({
  readStore = openMemoryReadStore(),
  store = openMemoryEventStore(),
} = {}): Promise<World> {
  await readStore.prepare([orderTimeline.view, dailySales.view]).catch(() => undefined);
  const feed = openEventFeed(store);
  const stores = {
    store,
    feed,
    readStore,
    snapshots: openMemoryOrderSnapshots(),
    subjectKeys: openMemorySubjectKeys(),
  };
  return { ...stores, queries: openOrderQueries({ ...stores, cursorSecret: 'secret', viewTimeoutMs: 200 }) };
}

/** Brings a view up to these events, one by one. */
export async function project(world: World, projection: Projection, events: readonly RecordedEvent[]): Promise<void> {
  const { readStore } = world;
  const { view } = projection;
  for (const event of events) {
    for (const change of projection.changes(event)) {
      const { tenantId, key } = change;
      const [current] = await readStore.find(view, [{ tenantId, key }]);
      const from = await readStore.loadCheckpoint(view.name, 'log');
      const move = { consumer: view.name, partition: 'log', from, to: event.position };
      await readStore.commit({ view, documents: [{ tenantId, key, document: change.update(current ?? null) }], progress: [], move }); // prettier-ignore
    }
  }
}

/** A process that starts now: what readers remember of a second ago is not what is tested. */
export function anewOn({ readStore, store }: World): Promise<World> {
  return openWorld({ readStore, store });
}

export type LeftBehind = { readonly events: readonly RecordedEvent[]; readonly state?: ParkedStream['state'] };

/** As a projector that parks the stream of these events in its view. */
export async function leaveBehind(
  { readStore }: World,
  { view }: Projection,
  { events, state = 'parked' }: LeftBehind,
): Promise<void> {
  const [first, last] = [events[0], events.at(-1)];
  if (first === undefined || last === undefined) throw new Error('no events');
  await readStore.prepare([view]);
  const consumer = view.name;
  const parked: ParkedStream = {
    ...{ consumer, stream: first.stream, tenantId: first.tenantId, firstRevision: first.revision },
    ...{ firstPosition: first.position, lastRevision: last.revision, fingerprint: 'f', error: 'e' },
    ...{ since: '2026-01-01T00:00:00.000Z', attempts: 0, lastAttemptAt: null, state },
  };
  const from = await readStore.loadCheckpoint(consumer, 'log');
  const move = { consumer, partition: 'log', from, to: last.position };
  await readStore.commit({ view, documents: [], progress: [], move, parking: { streams: [parked], events: [] } });
}
