import type { EventStore } from '../../infra/event-store/port.ts';
import type { Waiting } from '../../infra/read-store/left-behind.ts';
import type { Document, Progress } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { categoryOf, type StreamName } from '../../schemas/ids.ts';
import type { Owned } from './owned.ts';
import { faultNamed, type Fault } from '../../infra/poison.ts';
import type { RunProjectorOptions } from './projector.ts';

export type NewEvents = {
  /** Each stream's in order and without gaps, right after its progress. */
  readonly events: readonly RecordedEvent[];
  /** Streams whose history is wrong: two events at one revision, or a gap that the store has as well. */
  readonly waiting: ReadonlyMap<StreamName, Waiting>;
  /** Of streams that were parked before. */
  readonly late: readonly RecordedEvent[];
  readonly duplicates: number;
  readonly healed: number;
  /** Streams that are taken to begin with this batch: nobody looked whether the view has seen them. */
  readonly begun: ReadonlySet<StreamName>;
};

/** How a batch is read. `doubts`: its beginnings are looked up as well, for they were seen before. */
export type Reading<D extends Document> = RunProjectorOptions<D> & { readonly doubts?: boolean };

type Seen = Pick<Progress, 'revision' | 'eventId'>;

/** One read of the store while healing. */
const healPageMax = 1_000;

/** What of a batch the view has not seen: duplicates are left out, gaps are filled from the store. */
export async function newEvents<D extends Document>(
  options: Reading<D>,
  owned: Owned<D>,
  batch: readonly RecordedEvent[],
): Promise<NewEvents> {
  const begun = beginningsOf(options, owned, batch);
  const last = await progressOf(
    options,
    owned,
    batch.filter(({ stream }) => !begun.has(stream)),
  );
  const waiting = new Map<StreamName, { readonly fault: Fault; readonly events: RecordedEvent[] }>();
  const events: RecordedEvent[] = [];
  const late: RecordedEvent[] = [];
  let [healed, duplicates] = [0, 0];
  for (const event of batch) {
    const parked = owned.parked.get(event.stream) ?? waiting.get(event.stream);
    if (parked !== undefined) {
      if ('events' in parked) parked.events.push(event);
      else if (event.revision > parked.lastRevision) late.push(event);
      else duplicates += 1;
      continue;
    }
    const seen = last.get(event.stream);
    const place = placeAfter(seen, event);
    if (place === 'duplicate') {
      duplicates += 1;
      continue;
    }
    const missing = place === 'gap' ? await readMissing(options.store, event, (seen?.revision ?? -1) + 1) : [];
    if (place === 'fork' || missing === null) {
      const fault = faultOfHistory(place === 'fork' ? 'fork' : 'gap', event.stream);
      waiting.set(event.stream, { fault, events: [event] });
      continue;
    }
    healed += missing.length;
    events.push(...missing, event);
    last.set(event.stream, event);
  }
  return { events, waiting, late, duplicates, healed, begun };
}

/** An older revision than the last seen tells nothing: its id is no longer remembered. */
function placeAfter(seen: Seen | undefined, event: RecordedEvent): 'next' | 'duplicate' | 'fork' | 'gap' {
  const last = seen?.revision ?? -1;
  if (event.revision === last + 1) return 'next';
  if (event.revision > last) return 'gap';
  return event.revision === last && seen?.eventId !== event.eventId ? 'fork' : 'duplicate';
}

/** The category is told, the stream is not: all forks of orders are one group. */
export function faultOfHistory(what: 'fork' | 'gap', stream: StreamName): Fault {
  const of = `of a stream of category ${categoryOf(stream)}`;
  return faultNamed(
    what === 'fork' ? `Fork: two events at one revision ${of}` : `Gap: the store lacks a revision ${of}`,
  );
}

/**
 * Streams whose first event is in the batch. A feed that repeats itself makes this wrong, and the commit says so: to look
 * up a thousand new orders in vain, each time, would cost more than to write them.
 */
function beginningsOf<D extends Document>(
  { doubts = false }: Reading<D>,
  owned: Owned<D>,
  batch: readonly RecordedEvent[],
): ReadonlySet<StreamName> {
  const begun = new Set<StreamName>();
  if (doubts) return begun;
  const met = new Set<StreamName>();
  for (const { stream, revision } of batch) {
    if (!met.has(stream) && revision === 0 && owned.progress(stream) === undefined) begun.add(stream);
    met.add(stream);
  }
  return begun;
}

async function progressOf<D extends Document>(
  { readStore, projection }: Reading<D>,
  owned: Owned<D>,
  batch: readonly RecordedEvent[],
): Promise<Map<StreamName, Seen>> {
  const known = new Map<StreamName, Progress>();
  const unknown = new Set<StreamName>();
  for (const { stream } of batch) {
    const remembered = owned.progress(stream);
    if (remembered === undefined) unknown.add(stream);
    else known.set(stream, remembered);
  }
  if (unknown.size === 0) return known;
  const loaded = await readStore.loadProgress(projection.view.name, [...unknown]);
  return new Map([...known, ...loaded]);
}

/** null: the store has no such events either. */
async function readMissing(
  store: Pick<EventStore, 'readStream'>,
  { stream, revision }: RecordedEvent,
  fromRevision: number,
): Promise<readonly RecordedEvent[] | null> {
  const missing: RecordedEvent[] = [];
  while (fromRevision + missing.length < revision) {
    const next = fromRevision + missing.length;
    const limit = Math.min(revision - next, healPageMax);
    const page = await store.readStream({ stream, fromRevision: next, limit });
    if (page[0]?.revision !== next) return null;
    missing.push(...page);
  }
  return missing;
}
