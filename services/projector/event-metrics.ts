import { setTimeout as sleep } from 'node:timers/promises';
import type { Checkpoint, EventFeed, FeedBatch, Partition } from '../../infra/event-feed/port.ts';
import { runConsumer, type RunConsumerOptions } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { isPoison } from '../../infra/poison.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';

export type EventMetrics = {
  /** The store's log: one partition. */
  readonly feed: EventFeed;
  readonly store: Pick<EventStore, 'head' | 'readStream'>;
  readonly readStore: Pick<ReadStore, 'loadCheckpoint' | 'moveCheckpoint'>;
  readonly metrics: Pick<Metrics, 'observeEvent' | 'orderPasts'>;
  readonly onFailure: NonNullable<RunConsumerOptions['onFailure']>;
  /** The rest after a batch that reached the log's end. 200 ms if absent. */
  readonly restMs?: number;
};

/** Its lease, and where it stands. */
export const eventMetrics = 'event-metrics';
const batchMax = 500;
/** Nobody sees a number sooner than its next scrape: a few checkpoints a second are enough on a busy log. */
const restMsDefault = 200;
/** One read of an order's past; it has some ten events. */
const pastMax = 10_000;

/**
 * Counts each event once, whichever process counts: what one counted is in its memory alone, and added up by who scrapes
 * them all. The first run begins at the log's head, for history is nobody's business of today; later ones and successors
 * go on from the stored checkpoint. It moves before its batch is counted: its compare-and-set keeps a process that was
 * replaced from counting what its successor counts, and what a crash in between loses dies with the counters anyway.
 */
export async function runEventMetrics(options: EventMetrics, signal: AbortSignal): Promise<void> {
  const { feed, store, readStore, metrics, onFailure, restMs = restMsDefault } = options;
  const places = new Map<Partition, Checkpoint | null>();
  await runConsumer(
    feed,
    {
      consumer: eventMetrics,
      categories: ['order', 'stock'],
      batchMax,
      loadCheckpoint: async (partition) => {
        const place = (await readStore.loadCheckpoint(eventMetrics, partition)) ?? (await begin(options, partition));
        places.set(partition, place);
        return place;
      },
      handle: async (batch) => {
        await recallPasts({ store, metrics }, batch.events);
        await moveOn(readStore, places, batch);
        for (const event of batch.events) observed(metrics, event);
        if (batch.atEnd) await sleep(restMs, undefined, { signal }).catch(() => undefined);
      },
      signal,
    },
    { onFailure },
  );
}

/** Noted at once: what comes before the first batch counts, also where another process is the one that counts it. */
async function begin({ store, readStore }: EventMetrics, partition: Partition): Promise<Checkpoint | null> {
  const head = await store.head();
  if (head === null) return null;
  const moved = await readStore.moveCheckpoint({ consumer: eventMetrics, partition, from: null, to: head });
  return moved === 'committed' ? head : readStore.loadCheckpoint(eventMetrics, partition);
}

async function moveOn(
  readStore: EventMetrics['readStore'],
  places: Map<Partition, Checkpoint | null>,
  { partition, checkpoint: to }: FeedBatch,
): Promise<void> {
  const from = places.get(partition) ?? null;
  const moved = await readStore.moveCheckpoint({ consumer: eventMetrics, partition, from, to });
  if (moved === 'moved') {
    throw new OperationalFailure('CHECKPOINT_MOVED', `${eventMetrics} ${partition}`, { retryable: true });
  }
  places.set(partition, to);
}

/** Orders whose beginning another process counted: read once, so that their next status is counted and timed here. */
async function recallPasts(
  { store, metrics: { orderPasts } }: Pick<EventMetrics, 'store' | 'metrics'>,
  events: readonly RecordedEvent[],
): Promise<void> {
  const firsts = new Map<string, RecordedEvent>();
  for (const event of events) if (!firsts.has(event.stream)) firsts.set(event.stream, event);
  const unknown = [...firsts.values()].filter((event) => event.revision > 0 && orderPasts.isMissing(event));
  await Promise.all(
    unknown.map(async ({ stream, revision }) => {
      const past = await store.readStream({ stream, limit: Math.min(revision, pastMax) });
      counted(() => orderPasts.recall(past));
    }),
  );
}

function observed({ observeEvent }: EventMetrics['metrics'], event: RecordedEvent): void {
  counted(() => observeEvent(event));
}

/** An event that cannot be counted is left out: the projector of its order meets it too, and tells. */
function counted(count: () => void): void {
  try {
    count();
  } catch (error) {
    if (!isPoison(error)) throw error;
  }
}
