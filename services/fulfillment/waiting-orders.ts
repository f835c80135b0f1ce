import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { faultNamed, faultOf, type Fault } from '../../infra/poison.ts';
import {
  fulfillment as consumer,
  withoutRows,
  type DrainOutcome,
  type ParkedConsumer,
  type ParkedStream,
} from '../../infra/read-store/parking.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import type { Position, RecordedEvent } from '../../schemas/envelope.ts';
import type { Revision, StreamName } from '../../schemas/ids.ts';
import { cannotBeHeard, hearEvent, type Hearing } from './hear-event.ts';

export type WaitingOrdersOptions = Hearing & {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: Pick<ReadStore, 'parking'>;
  readonly now?: () => number;
};

const pageMax = 1_000;
/** Between what is read and the lock the order feed may meet one more event of the order. */
const roundsMax = 10;

/**
 * Orders that the order feed left behind, told again by the code of today. Any process may do it: what a saga is told twice
 * changes nothing, and one that was told is driven by the watchdog of whoever drives sagas.
 */
export function openWaitingOrders(options: WaitingOrdersOptions): ParkedConsumer {
  return { name: consumer, drain: (stream) => tellAgain(options, stream) };
}

async function tellAgain(options: WaitingOrdersOptions, stream: StreamName): Promise<DrainOutcome> {
  for (let round = 0; round < roundsMax; round += 1) {
    const outcome = await tellOnce(options, stream);
    if (outcome !== 'again') return outcome;
  }
  throw new OperationalFailure('CHECKPOINT_MOVED', `${stream} grew while it was told again`, { retryable: true });
}

async function tellOnce(options: WaitingOrdersOptions, stream: StreamName): Promise<DrainOutcome | 'again'> {
  const { store, readStore, now = Date.now } = options;
  const [parked] = await readStore.parking.list({ filter: { consumer, streams: [stream] }, limit: 1 });
  if (parked === undefined) return 'gone';
  const events = await readFrom(store, stream, parked.firstRevision);
  const stop = (await tellAll(options, events)) ?? missing(parked, events);
  const until = events.at(-1)?.revision ?? -1;
  const lastAttemptAt = new Date(now()).toISOString();
  return readStore.parking.mend<DrainOutcome | 'again'>({
    ...{ view: withoutRows(consumer), stream, keys: [] },
    fold: ({ parked: held }) => {
      if (held === null) return { answer: 'gone', mended: null };
      const nothingMore = { documents: [], progress: null };
      if (stop !== null)
        return { answer: 'parked', mended: { ...nothingMore, parked: stoppedAt(held, stop, lastAttemptAt) } };
      if (held.lastRevision > until) return { answer: 'again', mended: null };
      return { answer: 'drained', mended: { ...nothingMore, parked: null } };
    },
  });
}

type Stop = { readonly revision: Revision; readonly position: Position; readonly fault: Fault };

/** @returns at which event it stopped; null: all were told */
async function tellAll(options: WaitingOrdersOptions, events: readonly RecordedEvent[]): Promise<Stop | null> {
  for (const event of events) {
    try {
      await hearEvent(options, event);
    } catch (error) {
      if (!cannotBeHeard(error)) throw error;
      const { revision, position } = event;
      return { revision, position, fault: faultOf(error, 'services/fulfillment/waiting-orders.ts') };
    }
  }
  return null;
}

/** What the order feed met must be in the store. */
function missing(parked: ParkedStream, events: readonly RecordedEvent[]): Stop | null {
  const isThere = (events.at(-1)?.revision ?? -1) >= parked.lastRevision;
  if (isThere) return null;
  const { firstRevision: revision, firstPosition: position } = parked;
  return { revision, position, fault: faultNamed('Gap: the store lacks events of an order that waits') };
}

function stoppedAt(held: ParkedStream, { revision, position, fault }: Stop, lastAttemptAt: string): ParkedStream {
  const { fingerprint, error } = fault;
  const place = { firstRevision: revision, firstPosition: position, fingerprint, error };
  return { ...held, ...place, attempts: held.attempts + 1, lastAttemptAt };
}

async function readFrom(
  store: Pick<EventStore, 'readStream'>,
  stream: StreamName,
  fromRevision: Revision,
): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const page = await store.readStream({ stream, fromRevision: fromRevision + events.length, limit: pageMax });
    events.push(...page);
    if (page.length < pageMax) return events;
  }
}
