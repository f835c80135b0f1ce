import type { Fault } from '../poison.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { ParkedEvent, ParkedStream, Parking } from './parking.ts';

/** The events of one stream that cannot be taken: the first is the fault's. */
export type Waiting = { readonly fault: Fault; readonly events: readonly RecordedEvent[] };

export type LeftBehind = {
  readonly consumer: string;
  /** What waited before this batch. */
  readonly parked: ReadonlyMap<StreamName, ParkedStream>;
  /** Streams that stop in it. */
  readonly stopped: ReadonlyMap<StreamName, Waiting>;
  /** Its later events of those that stopped before. */
  readonly late: readonly RecordedEvent[];
  readonly nowMs: number;
};

/** `parking` undefined: the batch parks nothing. `added`: what stops in it. */
export type ParkingOfBatch = { readonly parking: Parking | undefined; readonly added: readonly ParkedStream[] };

const nothing: ParkingOfBatch = { parking: undefined, added: [] };

/** What a batch leaves behind, as rows. */
export function parkingOf(leftBehind: LeftBehind): ParkingOfBatch {
  const { parked, stopped, late } = leftBehind;
  if (stopped.size + late.length === 0) return nothing;
  const added = [...stopped.values()].flatMap((waiting) => newlyParked(leftBehind, waiting));
  const again = [...Map.groupBy(late, ({ stream }) => stream)].flatMap(([stream, events]) => {
    const before = parked.get(stream);
    return before === undefined ? [] : [{ ...before, lastRevision: lastOf(events) }];
  });
  const noted = late.filter(({ stream }) => parked.get(stream)?.state === 'parked');
  const events = [...[...stopped.values()].flatMap((waiting) => waiting.events), ...noted];
  return { parking: { streams: [...added, ...again], events: events.map(toParkedEvent) }, added };
}

function newlyParked({ consumer, nowMs }: LeftBehind, { fault, events }: Waiting): readonly ParkedStream[] {
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

function toParkedEvent({ stream, revision, eventId, position, type }: RecordedEvent): ParkedEvent {
  return { stream, revision, eventId, position, type };
}
