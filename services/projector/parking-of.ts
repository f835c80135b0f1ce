import type { ParkedEvent, ParkedStream, Parking } from '../../infra/read-store/parking.ts';
import type { Document } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { FoldedEvents } from './fold-events.ts';
import type { NewEvents, Waiting } from './new-events.ts';
import type { Owned } from './owned.ts';

export type ParkingOptions<D extends Document> = {
  readonly consumer: string;
  readonly owned: Owned<D>;
  readonly fresh: NewEvents;
  readonly folded: FoldedEvents<D>;
  readonly nowMs: number;
};

/** `parking` undefined: the batch parks nothing. */
export type ParkingOfBatch = { readonly parking: Parking | undefined; readonly added: readonly ParkedStream[] };

const nothing: ParkingOfBatch = { parking: undefined, added: [] };

/** What a batch leaves behind: streams that stop in it, and later events of those that stopped before. */
export function parkingOf<D extends Document>(options: ParkingOptions<D>): ParkingOfBatch {
  const { owned, fresh, folded } = options;
  if (fresh.late.length + fresh.waiting.size + folded.waiting.size === 0) return nothing;
  const stopped = bothWaiting(folded.waiting, fresh.waiting);
  const added = [...stopped.values()].flatMap((waiting) => parkedStream(options, waiting));
  const again = [...Map.groupBy(fresh.late, ({ stream }) => stream)].flatMap(([stream, events]) => {
    const parked = owned.parked.get(stream);
    return parked === undefined ? [] : [{ ...parked, lastRevision: lastOf(events) }];
  });
  const noted = fresh.late.filter(({ stream }) => owned.parked.get(stream)?.state === 'parked');
  const events = [...[...stopped.values()].flatMap((waiting) => waiting.events), ...noted];
  return { parking: { streams: [...added, ...again], events: events.map(parkedEvent) }, added };
}

/** A stream may stop by its history after an event that stops it in the fold: the earlier one tells. */
function bothWaiting(
  folded: ReadonlyMap<StreamName, Waiting>,
  fresh: ReadonlyMap<StreamName, Waiting>,
): ReadonlyMap<StreamName, Waiting> {
  const stopped = new Map(folded);
  for (const [stream, later] of fresh) {
    const earlier = folded.get(stream);
    stopped.set(stream, earlier === undefined ? later : { ...earlier, events: [...earlier.events, ...later.events] });
  }
  return stopped;
}

function parkedStream<D extends Document>(
  { consumer, nowMs }: ParkingOptions<D>,
  { fault, events }: Waiting,
): readonly ParkedStream[] {
  const [first] = events;
  if (first === undefined) return [];
  const { stream, tenantId, revision: firstRevision, position: firstPosition } = first;
  return [
    {
      ...{ consumer, stream, tenantId, firstRevision, firstPosition },
      ...{ lastRevision: lastOf(events), fingerprint: fault.fingerprint, error: fault.error },
      ...{ since: new Date(nowMs).toISOString(), attempts: 0, lastAttemptAt: null, state: 'parked' },
    },
  ];
}

function lastOf(events: readonly RecordedEvent[]): number {
  return Math.max(...events.map(({ revision }) => revision));
}

function parkedEvent({ stream, revision, eventId, position, type }: RecordedEvent): ParkedEvent {
  return { stream, revision, eventId, position, type };
}
