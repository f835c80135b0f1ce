import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint, EventFeed, FeedBatch } from '../../infra/event-feed/port.ts';
import { runConsumer, type ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import {
  snapshotWriter as consumer,
  type OrderSnapshots,
  type SnapshotWriting,
} from '../../infra/order-snapshots/port.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import type { Projection } from '../../projections/projection.ts';
import { openSnapshotFold, type SnapshotFold } from './snapshot-fold.ts';

export type SnapshotWriterObserver = {
  readonly onBatch?: (batch: { readonly orders: number; readonly refused: number; readonly lagMs: number }) => void;
  /** The writer took the cache over: how its place there compares with the stored checkpoint. */
  readonly onBegin?: (began: 'ahead' | 'behind' | 'unknown') => void;
  /** The loop starts again after `restartInMs`. */
  readonly onFailure?: (stop: ConsumerStop) => void;
};

export type RunSnapshotWriterOptions = {
  readonly feed: EventFeed;
  readonly store: Pick<EventStore, 'epoch' | 'comparePositions' | 'readStream'>;
  /** Holds the checkpoint; its order view saves reads of the store. */
  readonly readStore: Pick<ReadStore, 'loadCheckpoint' | 'moveCheckpoint' | 'find'>;
  readonly snapshots: Pick<OrderSnapshots, 'beginWriting'>;
  readonly signal: AbortSignal;
  /** 1 to 5,000 events; 1,000 if absent. */
  readonly batchMax?: number;
  readonly observe?: SnapshotWriterObserver;
  /** The order summary if absent. */
  readonly projection?: Projection<OrderSummary>;
};

const partition = 'log';

/** A cache that is back is written again within about a second. */
const restartMaxMs = 1_000;
/** Between two holds: writers that take the cache from each other must leave each other time to write. */
const pauseMs = 50;

/**
 * Keeps the snapshots current until the signal is aborted: the only one that lets them live long. A consumer of its
 * own, so that a cache that is down delays no view; its checkpoint moves only after the cache's answer.
 *
 * Asynchronous replication loses acknowledged writes, and a long-lived snapshot would then be old for days. So the
 * cache keeps a mark of how far it was written. At each start and after each cut connection the mark is compared with
 * the checkpoint, and the older one is gone on from; without a mark, or with another store's, everything is dropped.
 *
 * Rejects with FOREIGN_STORE.
 */
export async function runSnapshotWriter(options: RunSnapshotWriterOptions): Promise<void> {
  const { signal } = options;
  while (!signal.aborted) {
    await runHold(options);
    await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
  }
}

/** One hold on the cache: until it is lost, or the signal is aborted. After a failure it is taken anew. */
async function runHold(options: RunSnapshotWriterOptions): Promise<void> {
  const { feed, signal, observe, batchMax = 1_000 } = options;
  const over = new AbortController();
  let hold: Hold | null = null;
  const release = async (): Promise<void> => {
    const { writing } = hold ?? {};
    hold = null;
    await writing?.end();
  };
  try {
    await runConsumer(
      feed,
      {
        ...{ consumer, categories: ['order'], batchMax },
        loadCheckpoint: async () => {
          await release();
          hold = await takeHold(options);
          const { lost } = hold.writing;
          lost.addEventListener('abort', () => over.abort(), { once: true });
          if (lost.aborted) over.abort();
          return hold.checkpoint;
        },
        handle: async (batch) => {
          if (hold === null) throw new Error('a batch before its checkpoint was asked for');
          hold = await writeBatch(options, hold, batch);
        },
        signal: AbortSignal.any([signal, over.signal]),
      },
      { backoffMaxMs: restartMaxMs, ...(observe?.onFailure === undefined ? {} : { onFailure: observe.onFailure }) },
    );
  } finally {
    await release();
  }
}

type Hold = {
  readonly writing: SnapshotWriting;
  /** Where the next batch begins. */
  readonly checkpoint: Checkpoint | null;
  readonly fold: SnapshotFold;
};

async function takeHold(options: RunSnapshotWriterOptions): Promise<Hold> {
  const { readStore, snapshots, projection = orderSummary } = options;
  // Before the mark: a writer puts first and moves its checkpoint then, so the mark is not the older of the two.
  const stored = await readStore.loadCheckpoint(consumer, partition);
  const writing = await snapshots.beginWriting();
  try {
    const checkpoint = await placeOf(options, writing, stored);
    return { writing, checkpoint, fold: openSnapshotFold({ ...options, projection }) };
  } catch (error) {
    await writing.end();
    throw error;
  }
}

/** Where to go on: the older of the cache's mark and the stored checkpoint, which is moved back to it. */
async function placeOf(
  { store, readStore, observe }: RunSnapshotWriterOptions,
  writing: SnapshotWriting,
  stored: Checkpoint | null,
): Promise<Checkpoint | null> {
  const { mark } = writing;
  if (mark?.epoch !== store.epoch) {
    observe?.onBegin?.('unknown');
    await writing.clear();
    return stored;
  }
  if (stored === null || store.comparePositions(mark.checkpoint, stored) >= 0) {
    observe?.onBegin?.('ahead');
    return stored;
  }
  observe?.onBegin?.('behind');
  await move(readStore, stored, mark.checkpoint);
  return mark.checkpoint;
}

async function writeBatch(options: RunSnapshotWriterOptions, hold: Hold, batch: FeedBatch): Promise<Hold> {
  const { store, readStore, observe } = options;
  const { events, checkpoint, atEnd } = batch;
  const writes = await hold.fold(events);
  const refused = await hold.writing.put(writes, { epoch: store.epoch, checkpoint });
  await move(readStore, hold.checkpoint, checkpoint);
  const last = events.at(-1);
  const lagMs = atEnd || last === undefined ? 0 : Math.max(0, Date.now() - Date.parse(last.recordedAt));
  observe?.onBatch?.({ orders: writes.length, refused, lagMs });
  return { ...hold, checkpoint };
}

async function move(
  readStore: Pick<ReadStore, 'moveCheckpoint'>,
  from: Checkpoint | null,
  to: Checkpoint,
): Promise<void> {
  if (from === to) return;
  if ((await readStore.moveCheckpoint({ consumer, partition, from, to })) === 'moved') {
    throw new OperationalFailure('CHECKPOINT_MOVED', `${consumer} ${partition}`, { retryable: true });
  }
}
