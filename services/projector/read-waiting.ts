import type { EventStore } from '../../infra/event-store/port.ts';
import type { Progress, ReadStore } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { Revision, StreamName } from '../../schemas/ids.ts';
import { faultOfHistory } from './new-events.ts';
import type { Fault } from '../../infra/poison.ts';

/** What the store says of a parked stream after its view's progress. */
export type WaitingHistory = {
  /** What the events follow; null: they are from the beginning. */
  readonly progress: Progress | null;
  /** The last revision that the projector had met before the store was read. */
  readonly until: Revision;
  /** In order and without gaps; to the stream's end where there is no fault. */
  readonly events: readonly RecordedEvent[];
  /** The store has another event at the progress, or lacks one that the projector met. */
  readonly fault: Fault | null;
};

export type ReadWaitingOptions = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: ReadStore;
  readonly view: string;
};

const pageMax = 1_000;

/** null: the stream is not parked. */
export async function readWaiting(
  { store, readStore, view }: ReadWaitingOptions,
  stream: StreamName,
): Promise<WaitingHistory | null> {
  const [parked] = await readStore.parking.list({ filter: { consumer: view, streams: [stream] }, limit: 1 });
  if (parked === undefined) return null;
  const progress = (await readStore.loadProgress(view, [stream])).get(stream) ?? null;
  const until = parked.lastRevision;
  const seen = progress?.revision ?? -1;
  const read = await readFrom(store, stream, Math.max(seen, 0));
  if (progress !== null && read[0]?.eventId !== progress.eventId) {
    return { progress, until, events: [], fault: faultOfHistory('fork', stream) };
  }
  const events = dense(read.slice(progress === null ? 0 : 1), seen + 1);
  const isWhole = (events.at(-1)?.revision ?? seen) >= until;
  return { progress, until, events, fault: isWhole ? null : faultOfHistory('gap', stream) };
}

async function readFrom(
  store: Pick<EventStore, 'readStream'>,
  stream: StreamName,
  fromRevision: Revision,
): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const next = (events.at(-1)?.revision ?? fromRevision - 1) + 1;
    const page = await store.readStream({ stream, fromRevision: next, limit: pageMax });
    events.push(...page);
    if (page.length < pageMax) return events;
  }
}

function dense(events: readonly RecordedEvent[], first: Revision): readonly RecordedEvent[] {
  const gap = events.findIndex(({ revision }, index) => revision !== first + index);
  return gap === -1 ? events : events.slice(0, gap);
}
