import type { EventStore } from '../../infra/event-store/port.ts';
import { isOperationalFailure, OperationalFailure } from '../../infra/failures.ts';
import type { DrainOutcome, Held, Mended, ParkedStream } from '../../infra/read-store/parking.ts';
import type { Document, DocumentKey, ReadStore } from '../../infra/read-store/port.ts';
import type { Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { findRefused } from './fold-batch.ts';
import { foldEvents, keysOf, stepsOf, type Step } from './fold-events.ts';
import { placeOf, type Folded } from './owned.ts';
import type { Fault } from '../../infra/poison.ts';
import { readWaiting, type WaitingHistory } from './read-waiting.ts';

export type DrainOptions<D extends Document = Document> = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: ReadStore;
  readonly projection: Projection<D>;
  /** Epoch milliseconds. */
  readonly now: () => number;
};

/** Between what is read and the lock the projector may meet one more event, or another drain be quicker. */
const roundsMax = 10;

/**
 * Folds a parked stream from where its view stands, with the code of today, in the order of the store. The rows, the
 * progress and the end of the parking are one transaction, under the lock that the projector's commits take.
 * @throws OperationalFailure STORE_UNAVAILABLE, VIEWS_UNAVAILABLE; CHECKPOINT_MOVED when the stream grew all the time
 */
export async function drainStream<D extends Document>(
  options: DrainOptions<D>,
  stream: StreamName,
): Promise<DrainOutcome> {
  const view = options.projection.view.name;
  for (let round = 0; round < roundsMax; round += 1) {
    const history = await readWaiting({ ...options, view }, stream);
    if (history === null) return 'gone';
    const outcome = await drainOnce(options, { stream, history });
    if (outcome !== 'again') return outcome;
  }
  throw new OperationalFailure('CHECKPOINT_MOVED', `${view} ${stream} grew during its drain`, { retryable: true });
}

type Waiting = { readonly stream: StreamName; readonly history: WaitingHistory };
type Draining<D extends Document> = Waiting & {
  readonly steps: readonly Step<D>[];
  readonly keys: readonly DocumentKey[];
  readonly refused: ReadonlyMap<RecordedEvent, Fault>;
  readonly attemptAt: string;
};
type Round = { readonly answer: DrainOutcome | 'again'; readonly mended: Mended | null };

async function drainOnce<D extends Document>(options: DrainOptions<D>, waiting: Waiting): Promise<Round['answer']> {
  const { readStore, projection, now } = options;
  const { view } = projection;
  const steps = stepsOf(projection, waiting.history.events);
  const keys = keysOf(steps);
  const attemptAt = new Date(now()).toISOString();
  const mend = (refused: Draining<D>['refused']) => {
    const draining = { ...waiting, steps, keys, refused, attemptAt };
    return readStore.parking.mend({ view, stream: waiting.stream, keys, fold: (held) => foldHeld(draining, held) });
  };
  try {
    return await mend(new Map());
  } catch (error) {
    if (!isOperationalFailure(error, 'POISON_VALUE')) throw error;
    const before = documentsBy<D>(keys, await readStore.find(view, keys));
    return mend(await findRefused({ readStore, view, before, steps }));
  }
}

/** What becomes of the stream as it is under the lock. */
function foldHeld<D extends Document>(draining: Draining<D>, held: Held): Round {
  const { history, keys, steps, refused } = draining;
  if (held.parked === null) return { answer: 'gone', mended: null };
  const isAsRead = held.progress?.eventId === history.progress?.eventId && held.parked.lastRevision <= history.until;
  if (!isAsRead) return { answer: 'again', mended: null };
  const folded = foldEvents(documentsBy<D>(keys, held.documents), steps, refused);
  const stopped = [...folded.waiting.values()][0];
  const fault = stopped?.fault ?? history.fault;
  const { documents } = folded;
  const progress = folded.progress[0] ?? null;
  if (fault === null) return { answer: 'drained', mended: { documents, progress, parked: null } };
  const parked = parkedAnew(draining, held.parked, { fault, at: stopped?.events[0] });
  return { answer: 'parked', mended: { documents, progress, parked } };
}

type Stop = { readonly fault: Fault; readonly at: RecordedEvent | undefined };

function parkedAnew<D extends Document>(
  { history, attemptAt }: Draining<D>,
  parked: ParkedStream,
  { fault, at }: Stop,
): ParkedStream {
  // Without an event it is the history that is wrong: what comes after the good part waits.
  const after = (history.events.at(-1)?.revision ?? -1) + 1;
  const { revision, position } = at ?? {
    revision: Math.max(parked.firstRevision, after),
    position: parked.firstPosition,
  };
  const { fingerprint, error } = fault;
  const attempted = { attempts: parked.attempts + 1, lastAttemptAt: attemptAt };
  return { ...parked, firstRevision: revision, firstPosition: position, fingerprint, error, ...attempted };
}

function documentsBy<D extends Document>(
  keys: readonly DocumentKey[],
  documents: readonly (Document | null)[],
): ReadonlyMap<string, Folded<D>> {
  return new Map(
    keys.map((key, index) => [placeOf(key), { ...key, document: (documents[index] ?? null) as D | null }]),
  );
}
