import type { EventStore } from '../../infra/event-store/port.ts';
import type { OrderSnapshots } from '../../infra/order-snapshots/port.ts';
import {
  withoutRows,
  type DrainOutcome,
  type ListedStream,
  type ParkedConsumer,
  type ParkedEvent,
  type ParkedFilter,
  type ParkedGroup,
  type ParkedPage,
} from '../../infra/read-store/parking.ts';
import type { ReadStore, View } from '../../infra/read-store/port.ts';
import type { Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { fulfillmentStream, orderIdOfStream, orderStream, type OrderId, type StreamName } from '../../schemas/ids.ts';
import { drainStream } from './drain.ts';

export type ParkedPlace = { readonly projection: string; readonly stream: StreamName };

/** Which ones; all that are given must fit. None given: every parked one. */
export type ParkedSelection = {
  readonly projection?: string | undefined;
  readonly fingerprint?: string | undefined;
  /** The order's own stream and its fulfillment. */
  readonly orderId?: OrderId | undefined;
};

export type ActPage = {
  readonly selection: ParkedSelection;
  /** Exclusive. */
  readonly after?: ParkedPlace | undefined;
  readonly limit: number;
};

/** What was done with each; `next`: there may be more after it. */
export type Acted<Outcome> = {
  readonly items: readonly (ParkedPlace & { readonly outcome: Outcome })[];
  readonly next: ParkedPlace | null;
};

/** `event` null: the store has no such event. */
export type ShownEvent = ParkedEvent & { readonly event: RecordedEvent | null };
export type ShownStream = { readonly parked: ListedStream; readonly events: readonly ShownEvent[] };

/** What an operator does about orders that no view could take. */
export type ParkingDesk = {
  groups(): Promise<readonly ParkedGroup[]>;
  list(page: ActPage): Promise<{ readonly items: readonly ListedStream[]; readonly next: ParkedPlace | null }>;
  /** With the first `limit` events that wait; null: nothing is parked there. */
  show(place: ParkedPlace, limit: number): Promise<ShownStream | null>;
  /**
   * Folds them with the code of today. Discarded ones only where their order is named.
   * Throws OperationalFailure STORE_UNAVAILABLE, VIEWS_UNAVAILABLE.
   */
  drain(page: ActPage): Promise<Acted<DrainOutcome>>;
  /** Gives them up: the views stay as they are and say so, later events are dropped as well, until a drain or a rebuild. */
  discard(page: ActPage): Promise<Acted<'discarded' | 'gone'>>;
};

export type OpenParkingDeskOptions = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: ReadStore;
  readonly projections: readonly Projection[];
  /** Who parks beside the projections. None if absent. */
  readonly others?: readonly ParkedConsumer[];
  readonly snapshots: Pick<OrderSnapshots, 'remove'>;
  readonly now?: () => number;
};

export function openParkingDesk(options: OpenParkingDeskOptions): ParkingDesk {
  const { readStore } = options;
  return {
    groups: () => readStore.parking.groups(),
    list: async ({ selection, ...page }) =>
      paged(await readStore.parking.list(toPage(page, filterOf(selection))), page),
    show: (place, limit) => show(options, place, limit),
    drain: async ({ selection, ...page }) => {
      const state = selection.orderId === undefined ? 'parked' : undefined;
      const found = paged(await readStore.parking.list(toPage(page, { ...filterOf(selection), state })), page);
      return act(found, (parked) => drain(options, parked));
    },
    discard: async ({ selection, ...page }) => {
      const filter: ParkedFilter = { ...filterOf(selection), state: 'parked' };
      return act(paged(await readStore.parking.list(toPage(page, filter)), page), (parked) => discard(options, parked));
    },
  };
}

type Page = Omit<ActPage, 'selection'>;
type Found = { readonly items: readonly ListedStream[]; readonly next: ParkedPlace | null };

function filterOf({ projection, fingerprint, orderId }: ParkedSelection): ParkedFilter {
  const streams = orderId === undefined ? undefined : [orderStream(orderId), fulfillmentStream(orderId)];
  return { consumer: projection, fingerprint, streams };
}

/** One more than asked for tells whether there is a next page. */
function toPage({ after, limit }: Page, filter: ParkedFilter): ParkedPage {
  const last = after === undefined ? undefined : { consumer: after.projection, stream: after.stream };
  return { filter, after: last, limit: limit + 1 };
}

function paged(found: readonly ListedStream[], { limit }: Page): Found {
  const items = found.slice(0, limit);
  const last = found.length > limit ? items.at(-1) : undefined;
  return { items, next: last === undefined ? null : placeOf(last) };
}

function placeOf({ consumer: projection, stream }: ListedStream): ParkedPlace {
  return { projection, stream };
}

/** One after the other: the projector takes its turns in between. */
async function act<Outcome>(
  { items, next }: Found,
  work: (parked: ListedStream) => Promise<Outcome>,
): Promise<Acted<Outcome>> {
  const done: (ParkedPlace & { readonly outcome: Outcome })[] = [];
  for (const parked of items) done.push({ ...placeOf(parked), outcome: await work(parked) });
  return { items: done, next };
}

async function drain(options: OpenParkingDeskOptions, parked: ListedStream): Promise<DrainOutcome> {
  const { store, readStore, projections, others = [], snapshots, now = Date.now } = options;
  const other = others.find(({ name }) => name === parked.consumer);
  if (other !== undefined) return other.drain(parked.stream);
  const projection = projections.find(({ view }) => view.name === parked.consumer);
  if (projection === undefined) return 'gone';
  const outcome = await drainStream({ store, readStore, projection, now }, parked.stream);
  const orderId = orderIdOfStream(parked.stream);
  // What readers keep still says `parked`, and an older version: the view tells anew.
  if (outcome !== 'gone' && orderId !== null) await snapshots.remove(parked.tenantId, [orderId]);
  return outcome;
}

async function discard(
  options: OpenParkingDeskOptions,
  { consumer, stream }: ListedStream,
): Promise<'discarded' | 'gone'> {
  const view = viewOf(options, consumer);
  if (view === undefined) return 'gone';
  return options.readStore.parking.mend<'discarded' | 'gone'>({
    ...{ view, stream, keys: [] },
    fold: ({ parked }) => {
      if (parked === null) return { answer: 'gone', mended: null };
      const given: typeof parked = { ...parked, state: 'discarded' };
      return { answer: 'discarded', mended: { documents: [], progress: null, parked: given } };
    },
  });
}

function viewOf({ projections, others = [] }: OpenParkingDeskOptions, consumer: string): View | undefined {
  const projection = projections.find(({ view }) => view.name === consumer);
  if (projection !== undefined) return projection.view;
  return others.some(({ name }) => name === consumer) ? withoutRows(consumer) : undefined;
}

async function show(
  { store, readStore }: OpenParkingDeskOptions,
  { projection, stream }: ParkedPlace,
  limit: number,
): Promise<ShownStream | null> {
  const filter = { consumer: projection, streams: [stream] };
  const [parked] = await readStore.parking.list({ filter, limit: 1 });
  if (parked === undefined) return null;
  const noted = await readStore.parking.events(projection, stream, limit);
  const [first] = noted;
  const stored = first === undefined ? [] : await store.readStream({ stream, fromRevision: first.revision, limit });
  const byId = new Map(stored.map((event) => [event.eventId, event]));
  return { parked, events: noted.map((each) => ({ ...each, event: byId.get(each.eventId) ?? null })) };
}
