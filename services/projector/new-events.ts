import type { EventStore } from '../../infra/event-store/port.ts';
import type { Document, Progress } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { Owned } from './owned.ts';
import type { RunProjectorOptions } from './projector.ts';

export type NewEvents = {
  /** Each stream's in order and without gaps, right after its progress. */
  readonly events: readonly RecordedEvent[];
  /** The last of each stream that moved. */
  readonly progress: readonly Progress[];
  readonly duplicates: number;
  readonly healed: number;
};

/** One read of the store while healing. */
const healPageMax = 1_000;

/** What of a batch the view has not seen: duplicates are left out, gaps are filled from the store. */
export async function newEvents<D extends Document>(
  options: RunProjectorOptions<D>,
  owned: Owned<D>,
  batch: readonly RecordedEvent[],
): Promise<NewEvents> {
  const last = await progressOf(options, owned, batch);
  const moved = new Map<StreamName, Progress>();
  const events: RecordedEvent[] = [];
  let healed = 0;
  for (const event of batch) {
    const seen = last.get(event.stream);
    if (seen !== undefined && event.revision <= seen.revision) {
      if (isFork(seen, event)) failOnFork(options, event);
      continue;
    }
    const next = (seen?.revision ?? -1) + 1;
    const missing = event.revision > next ? await readMissing(options.store, event, next) : [];
    healed += missing.length;
    events.push(...missing, event);
    const { stream, revision, eventId } = event;
    last.set(stream, { stream, revision, eventId });
    moved.set(stream, { stream, revision, eventId });
  }
  const duplicates = batch.length + healed - events.length;
  return { events, progress: [...moved.values()], duplicates, healed };
}

async function progressOf<D extends Document>(
  { readStore, projection }: RunProjectorOptions<D>,
  owned: Owned<D>,
  batch: readonly RecordedEvent[],
): Promise<Map<StreamName, Progress>> {
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

/** An older revision than the last seen tells nothing: its id is no longer remembered. */
function isFork(seen: Progress, event: RecordedEvent): boolean {
  return seen.revision === event.revision && seen.eventId !== event.eventId;
}

function failOnFork<D extends Document>({ observe, projection }: RunProjectorOptions<D>, event: RecordedEvent): never {
  const { stream, revision } = event;
  observe?.onFork?.({ view: projection.view.name, stream, revision });
  throw new Error(`fork: ${stream} has two events at revision ${revision}`);
}

async function readMissing(
  store: Pick<EventStore, 'readStream'>,
  { stream, revision }: RecordedEvent,
  fromRevision: number,
): Promise<readonly RecordedEvent[]> {
  const missing: RecordedEvent[] = [];
  while (fromRevision + missing.length < revision) {
    const next = fromRevision + missing.length;
    const limit = Math.min(revision - next, healPageMax);
    const page = await store.readStream({ stream, fromRevision: next, limit });
    if (page[0]?.revision !== next) throw new Error(`gap: the store has no revision ${next} of ${stream}`);
    missing.push(...page);
  }
  return missing;
}
