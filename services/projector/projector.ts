import type { Checkpoint, EventFeed, FeedBatch, Partition } from '../../infra/event-feed/port.ts';
import { runConsumer, type ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import type { Document, DocumentWrite, ReadStore } from '../../infra/read-store/port.ts';
import type { Projection } from '../../projections/projection.ts';
import { foldBatch } from './fold-batch.ts';
import { newEvents } from './new-events.ts';
import { openOwned, type Owned } from './owned.ts';

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
  /** The loop starts again from the stored checkpoint after `restartInMs`. */
  readonly onFailure?: (stop: ConsumerStop) => void;
  /** A batch was not written: another projector of the view moved the checkpoint. */
  readonly onRefused?: (view: string) => void;
  /** One revision with two ids: the log itself is wrong. The projector ends with an Error after this. */
  readonly onFork?: (fork: { readonly view: string; readonly stream: string; readonly revision: number }) => void;
};

/** Hears what is durable in the view. A failure here ends the batch's loop; it starts again after the commit. */
export type CommitListener<D extends Document = Document> = {
  /** At each start from the stored checkpoint: another process may have written in between. */
  started(): Promise<void>;
  committed(documents: readonly (Omit<DocumentWrite, 'document'> & { readonly document: D | null })[]): Promise<void>;
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
  readonly afterCommit?: CommitListener<D>;
};

/**
 * Keeps one view current until the signal is aborted; the view must be prepared. Its consumer is named after the view.
 * Rows, progress and checkpoint of a batch are one transaction, and the checkpoint's compare-and-set is the fence: a
 * projector that lost its place rolls back and starts again from the stored one (CHECKPOINT_MOVED).
 * Rejects with FOREIGN_STORE, and with an Error on a fork or a gap that the store cannot fill.
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

/** What this process owns of a partition is forgotten on any failure: what it remembers may then be another's past. */
function openHandler<D extends Document>(options: RunProjectorOptions<D>): Handler {
  const { readStore, projection, afterCommit } = options;
  const owned = new Map<Partition, Owned<D>>();
  return {
    loadCheckpoint: async (partition) => {
      const checkpoint = await readStore.loadCheckpoint(projection.view.name, partition);
      owned.set(partition, openOwned(checkpoint));
      await afterCommit?.started();
      return checkpoint;
    },
    handle: async (batch) => {
      const mine = owned.get(batch.partition);
      if (mine === undefined) throw new Error(`a batch of ${batch.partition} before its checkpoint was asked for`);
      owned.delete(batch.partition);
      await project(options, mine, batch);
      owned.set(batch.partition, mine);
    },
  };
}

async function project<D extends Document>(
  options: RunProjectorOptions<D>,
  owned: Owned<D>,
  batch: FeedBatch,
): Promise<void> {
  const { readStore, projection, observe, afterCommit } = options;
  const fresh = await newEvents(options, owned, batch.events);
  const documents = await foldBatch(options, owned, fresh.events);
  const consumer = projection.view.name;
  const move = { consumer, partition: batch.partition, from: owned.checkpoint, to: batch.checkpoint };
  const outcome =
    fresh.progress.length === 0
      ? await readStore.moveCheckpoint(move)
      : await readStore.commit({ view: projection.view, documents, progress: fresh.progress, move });
  if (outcome === 'moved') {
    observe?.onRefused?.(consumer);
    throw new OperationalFailure('CHECKPOINT_MOVED', `${consumer} ${batch.partition}`, { retryable: true });
  }
  owned.keep({ checkpoint: batch.checkpoint, documents, progress: fresh.progress });
  if (documents.length > 0) await afterCommit?.committed(documents);
  observe?.onBatch?.({
    view: consumer,
    partition: batch.partition,
    applied: fresh.events.length,
    duplicates: fresh.duplicates,
    healed: fresh.healed,
    documents: documents.length,
    lagMs: lagMs(batch),
  });
}

function lagMs({ events, atEnd }: FeedBatch): number {
  const last = events.at(-1);
  return atEnd || last === undefined ? 0 : Math.max(0, Date.now() - Date.parse(last.recordedAt));
}
