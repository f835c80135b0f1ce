import { afterEach, describe } from 'vitest';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import type { ParkedStream } from '../../infra/read-store/parking.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openPostgresReadStore } from '../../infra/read-store/postgres/postgres-read-store.ts';
import { anOrderId, appendAll, paymentFact, placement } from '../../projections/examples.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { orderStream, type StreamName } from '../../schemas/ids.ts';
import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { openParkingDesk, type ParkingDesk } from './parking.ts';
import { runProjector, type RunProjectorOptions } from './projector.ts';
import { poisonedProjection, tallyOf, type Poisoned, type Tally } from './test-poison.ts';

export type World = Poisoned & {
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly desk: ParkingDesk;
  /** Cache entries that were dropped. */
  readonly removed: readonly string[];
  readonly parked: readonly ParkedStream[];
  run(options: Pick<RunProjectorOptions<Tally>, 'feed'> & Partial<RunProjectorOptions<Tally>>): Promise<void>;
  /** As the fold of these events would have it. */
  foldOf(events: readonly RecordedEvent[]): Awaited<ReturnType<typeof tallyOf>>;
  view(events: readonly RecordedEvent[]): ReturnType<typeof tallyOf>;
};

export async function openWorld(readStore: ReadStore): Promise<World> {
  const { projection, poison } = poisonedProjection();
  const store = openMemoryEventStore();
  await readStore.prepare([projection.view]);
  await readStore.clear(projection.view);
  const parked: ParkedStream[] = [];
  const removed: string[] = [];
  const snapshots = {
    remove: (_tenant: string, ids: readonly string[]) => Promise.resolve(void removed.push(...ids)),
  };
  const signal = new AbortController().signal;
  const observe = { onParked: (each: ParkedStream) => void parked.push(each) };
  const foldOf: World['foldOf'] = (events) => {
    const streams = Map.groupBy(events, ({ stream }) => stream);
    const ids = [...streams].map(([stream, own]) => [stream, own.map(({ eventId }) => eventId)] as const);
    return { streams: Object.fromEntries(ids), count: events.length };
  };
  return {
    ...{ projection, poison, store, readStore, removed, parked, foldOf },
    desk: openParkingDesk({ store, readStore, projections: [projection], snapshots }),
    run: (options) => runProjector({ store, readStore, projection, signal, observe, ...options }),
    view: (events) => tallyOf(readStore, projection, [...new Set(events.map(({ stream }) => stream))]),
  };
}

export const orders = (...names: readonly string[]) => names.map((name) => anOrderId(name));
export const everything = { selection: {}, limit: 100 };

/** Three orders of three events each, side by side. */
export async function threeOrders(store: EventStore): Promise<readonly RecordedEvent[]> {
  const ids = orders('one', 'two', 'three');
  const events: RecordedEvent[] = [];
  for (const make of [placement, authorized, captured]) events.push(...(await appendAll(store, ids.map((id) => make(id))))); // prettier-ignore
  return events;
}

export const authorized = (id: ReturnType<typeof anOrderId>) => paymentFact('PaymentAuthorized', id);
export const captured = (id: ReturnType<typeof anOrderId>) => paymentFact('PaymentCaptured', id);

export function at(events: readonly RecordedEvent[], name: string, revision: number): RecordedEvent {
  const found = events.find((event) => event.stream === orderStream(anOrderId(name)) && event.revision === revision);
  if (found === undefined) throw new Error(`no revision ${revision} of ${name}`);
  return found;
}

/** What is applied while the poison is there: of each stream up to its first poison event. */
export function healthy(
  events: readonly RecordedEvent[],
  poison: ReadonlyMap<string, unknown>,
): readonly RecordedEvent[] {
  const stopped = new Set<StreamName>();
  return events.filter(({ stream, eventId }) => {
    if (poison.has(eventId)) stopped.add(stream);
    return !stopped.has(stream);
  });
}

export type OpenReadStore = () => Promise<ReadStore>;
/** What runs only on some of the read stores stands beside the suite of all. */
export type OnReadStores = {
  readonly all: (open: OpenReadStore, runs: number) => void;
  readonly postgres?: (open: OpenReadStore) => void;
};

/** Every read store; `runs`: of a law, fewer where each costs a database. */
export function describeOnReadStores(what: string, { all, postgres }: OnReadStores): void {
  describe(`${what} on memory`, () => all(() => Promise.resolve(openMemoryReadStore()), 60));
  describeWithPostgres(`${what} on Postgres`, () => {
    const opened: (() => Promise<void>)[] = [];
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((close) => close()));
    });
    const open = async (): Promise<ReadStore> => {
      const database = await freshDatabase();
      const readStore = openPostgresReadStore(database.url);
      opened.push(async () => {
        await readStore.close();
        await database.drop();
      });
      return readStore;
    };
    all(open, 6);
    postgres?.(open);
  });
}
