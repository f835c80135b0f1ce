import type { Checkpoint, EventFeed, FeedBatch, Partition } from '../../infra/event-feed/port.ts';
import { runConsumer, type ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { isOperationalFailure, OperationalFailure } from '../../infra/failures.ts';
import type { ParkedStream } from '../../infra/read-store/parking.ts';
import type {
  BatchWrite,
  CheckpointMove,
  CommitOutcome,
  Document,
  Progress,
  ReadStore,
} from '../../infra/read-store/port.ts';
import type { Projection } from '../../projections/projection.ts';
import { foldBatch, foldCarefully } from './fold-batch.ts';
import type { FoldedEvents } from './fold-events.ts';
import { newEvents, type NewEvents, type Reading } from './new-events.ts';
import { openOwned, type Owned } from './owned.ts';
import { parkingOf } from './parking-of.ts';
import { openParkingLimit, type ParkingLimit } from '../../infra/read-store/parking-limit.ts';

/** What one committed batch did: for metrics and logs; nothing personal. */
export type ProjectedBatch = {
  readonly view: string;
  readonly partition: Partition;
  /** Folded into the view, healed ones included. */
  readonly applied: number;
  readonly duplicates: number;
  /** Missing from the feed and read from the store. */
  readonly healed: number;
  readonly documents: number;
  /** Age of the last event of the batch when it was committed; 0 at the end of the log. Milliseconds. */
  readonly lagMs: number;
};

export type ProjectorObserver = {
  readonly onBatch?: (batch: ProjectedBatch) => void;
  /** The loop starts again from the stored checkpoint after `restartInMs`. PARKING_THRESHOLD: the view stands still. */
  readonly onFailure?: (stop: ConsumerStop) => void;
  /** A batch was not written: another projector of the view moved the checkpoint. */
  readonly onRefused?: (view: string) => void;
  /** A stream's event could not be folded: it waits with the later ones, everything else goes on. */
  readonly onParked?: (parked: ParkedStream) => void;
};

export type RunProjectorOptions<D extends Document> = {
  readonly feed: EventFeed;
  /** Gaps are healed from it. */
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: ReadStore;
  readonly projection: Projection<D>;
  /** 1 to 5,000 events; 1,000 if absent. */
  readonly batchMax?: number;
  readonly signal: AbortSignal;
  readonly observe?: ProjectorObserver;
  /** Epoch milliseconds, for what is parked within a minute. */
  readonly now?: () => number;
};

/**
 * Keeps one view current until the signal is aborted; the view must be prepared. Its consumer is named after the view.
 * Rows, progress, parking and checkpoint of a batch are one transaction, and the checkpoint's compare-and-set is the
 * fence: a projector that lost its place rolls back and starts again from the stored one (CHECKPOINT_MOVED).
 * A stream with an event that cannot be folded, a fork, or a gap that the store has as well is parked; too many of them
 * within a minute stop the view (PARKING_THRESHOLD), and the same batch is tried again ever more slowly.
 * Rejects with FOREIGN_STORE, and with a bug of ours.
 */
export async function runProjector<D extends Document>(options: RunProjectorOptions<D>): Promise<void> {
  const { feed, projection, signal, observe, batchMax = 1_000 } = options;
  const handle = openHandler(options);
  await runConsumer(
    feed,
    { consumer: projection.view.name, categories: projection.categories, batchMax, signal, ...handle },
    observe?.onFailure === undefined ? {} : { onFailure: observe.onFailure },
  );
}

type Handler = {
  readonly loadCheckpoint: (partition: Partition) => Promise<Checkpoint | null>;
  readonly handle: (batch: FeedBatch) => Promise<void>;
};

/** A bulk drain takes a turn for each stream: the projector takes its own in between, so often that it gets it. */
const retakesMax = 50;

/** What this process owns of a partition is forgotten on any failure: what it remembers may then be another's past. */
function openHandler<D extends Document>(options: RunProjectorOptions<D>): Handler {
  const { readStore, projection, observe, now } = options;
  const consumer = projection.view.name;
  const owned = new Map<Partition, Owned<D>>();
  const project = openProjecting(options, openParkingLimit(consumer, now));
  return {
    loadCheckpoint: async (partition) => {
      const place = await readStore.loadPlace(consumer, partition);
      owned.set(partition, openOwned(place));
      return place.checkpoint;
    },
    handle: async (batch) => {
      const { partition } = batch;
      let mine = owned.get(partition);
      if (mine === undefined) throw new Error(`a batch of ${partition} before its checkpoint was asked for`);
      owned.delete(partition);
      for (let retakes = 0; (await project(mine, batch)) === 'moved'; retakes += 1) {
        const place = await readStore.loadPlace(consumer, partition);
        // Where only the turn changed, somebody mended what is parked: the same batch follows what they left.
        if (place.checkpoint !== mine.checkpoint || retakes >= retakesMax) {
          observe?.onRefused?.(consumer);
          throw new OperationalFailure('CHECKPOINT_MOVED', `${consumer} ${partition}`, { retryable: true });
        }
        mine = openOwned(place);
      }
      owned.set(partition, mine);
    },
  };
}

type Project<D extends Document> = (owned: Owned<D>, batch: FeedBatch) => Promise<'committed' | 'moved'>;

function openProjecting<D extends Document>(options: RunProjectorOptions<D>, limit: ParkingLimit): Project<D> {
  const attempt = async (reading: Reading<D>, owned: Owned<D>, batch: FeedBatch): Promise<CommitOutcome> => {
    const fresh = await newEvents(reading, owned, batch.events);
    const tryCommit = (folded: FoldedEvents<D>) => commit({ options, limit, owned, batch, fresh, folded });
    try {
      return await tryCommit(await foldBatch(options, owned, fresh));
    } catch (error) {
      if (!isOperationalFailure(error, 'POISON_VALUE')) throw error;
      return tryCommit(await foldCarefully(options, owned, fresh));
    }
  };
  return async (owned, batch) => {
    const outcome = await attempt(options, owned, batch);
    if (outcome !== 'seen') return outcome;
    const again = await attempt({ ...options, doubts: true }, owned, batch);
    if (again === 'seen') throw new Error('a batch that begins nothing was refused for what it begins');
    return again;
  };
}

type Committing<D extends Document> = {
  readonly options: RunProjectorOptions<D>;
  readonly limit: ParkingLimit;
  readonly owned: Owned<D>;
  readonly batch: FeedBatch;
  readonly fresh: NewEvents;
  readonly folded: FoldedEvents<D>;
};

async function commit<D extends Document>(committing: Committing<D>): Promise<CommitOutcome> {
  const { options, limit, owned, batch, fresh, folded } = committing;
  const { readStore, projection, observe, now = Date.now } = options;
  const { view } = projection;
  const { documents, progress, applied } = folded;
  const { partition, checkpoint } = batch;
  const { parking, added } = parkingOf({ consumer: view.name, owned, fresh, folded, nowMs: now() });
  if (added.length > 0) limit.admit(added.length, [...owned.parked.values()]);
  const move: CheckpointMove = { consumer: view.name, partition, from: owned.checkpoint, to: checkpoint, turn: owned.turn }; // prettier-ignore
  const isIdle = progress.length === 0 && parking === undefined;
  const outcome = isIdle
    ? await readStore.moveCheckpoint(move)
    : await readStore.commit({ view, documents, move, ...parted(progress, fresh), ...(parking && { parking }) });
  if (outcome !== 'committed') return outcome;
  owned.keep({ checkpoint, documents, progress, parked: parking?.streams ?? [] });
  for (const parked of added) observe?.onParked?.(parked);
  const { duplicates, healed } = fresh;
  const done = { view: view.name, partition, applied, duplicates, healed, documents: documents.length };
  observe?.onBatch?.({ ...done, lagMs: lagMs(batch) });
  return outcome;
}

function parted(all: readonly Progress[], { begun }: NewEvents): Pick<BatchWrite, 'progress' | 'begun'> {
  const isBegun = ({ stream }: Progress): boolean => begun.has(stream);
  return { progress: all.filter((each) => !isBegun(each)), begun: all.filter(isBegun) };
}

function lagMs({ events, atEnd }: FeedBatch): number {
  const last = events.at(-1);
  return atEnd || last === undefined ? 0 : Math.max(0, Date.now() - Date.parse(last.recordedAt));
}
