import { relayConsumer, type Checkpoint, type EventFeed, type FeedBatch } from '../../infra/event-feed/port.ts';
import { runConsumer, type ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import type { KafkaProducer } from '../../infra/kafka/port.ts';
import type { Topics } from '../../infra/topics/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { Category } from '../../schemas/ids.ts';
import { encodeEventRecord, type EventRecord, type EventTopic } from '../../schemas/wire/event-record.ts';
import type { WireSchemas } from '../../schemas/wire/wire-schemas.ts';
import { openLossWatch, type LossWatch } from './loss-watch.ts';
import { openMovingCheckpoint, type CheckpointMoves } from './moving-checkpoint.ts';

export const relayedCategories: readonly Category[] = ['order', 'stock'];

export type RelayObserver = {
  /** Kafka has all of it: how many records of each topic. */
  readonly onBatch?: (records: ReadonlyMap<EventTopic, number>) => void;
  /** A topic lost records: everything is published again from the beginning. */
  readonly onLoss?: (topic: string) => void;
  /** The loop starts again from the stored checkpoint after `restartInMs`. */
  readonly onFailure?: (stop: ConsumerStop) => void;
};

export type RunRelayOptions = {
  readonly feed: EventFeed;
  readonly store: Pick<EventStore, 'epoch' | 'readLog' | 'comparePositions'>;
  readonly readStore: CheckpointMoves;
  readonly producer: Pick<KafkaProducer, 'send'>;
  readonly topics: Pick<Topics, 'endOffsets'>;
  /** Asked at each start, so that a registry which is down delays the relay and does not end it. */
  readonly schemas: () => Promise<WireSchemas>;
  readonly signal: AbortSignal;
  /** 1 to 5,000 events; 1,000 if absent: what is in memory while Kafka is down. */
  readonly batchMax?: number;
  /** How often the topics are looked at. 10,000 ms if absent. */
  readonly lookEveryMs?: number;
  /** Begins every topic's name, for tests that share a broker. */
  readonly topicPrefix?: string;
  readonly observe?: RelayObserver;
};

/** A Kafka that is back is written to again within about a second. */
const restartMaxMs = 1_000;

/**
 * Publishes the log until the signal is aborted: at least once, the events of one stream in their order. A batch is
 * produced only after Kafka acknowledged the one before, and the checkpoint moves only after that: whoever starts again,
 * after a failure or as another process, publishes the same events in the same order first. While it moves, the next
 * batch is on its way, and no further. The checkpoint's compare-and-set stops a relay that lost its place; what it had
 * sent until then are duplicates, which every reader drops by (stream, revision).
 *
 * A topic that lost what was in it (emptied, made anew, a broker that lost its disk) is filled again from the log.
 *
 * Rejects with FOREIGN_STORE, EVENT_TOO_LARGE (a topic takes less than the store does), and with a bug of ours.
 */
export async function runRelay(options: RunRelayOptions): Promise<void> {
  const watch = openLossWatch({ ...options, topicPrefix: options.topicPrefix ?? '' });
  while (!options.signal.aborted) await runUntilLoss(options, watch);
}

/** Until a topic is found to have lost records while nothing happens, or the signal is aborted. */
async function runUntilLoss(options: RunRelayOptions, watch: LossWatch): Promise<void> {
  const { feed, observe, signal, batchMax = 1_000, lookEveryMs = 10_000 } = options;
  const over = new AbortController();
  const relaying = openRelaying(options, watch);
  const looking = setInterval(() => {
    // A failure to look is met by the next produce as well, which is where it is told.
    relaying.look().then(
      (isLost) => isLost && over.abort(),
      () => undefined,
    );
  }, lookEveryMs);
  try {
    await runConsumer(
      feed,
      {
        ...{ consumer: relayConsumer, categories: relayedCategories, batchMax },
        loadCheckpoint: relaying.begin,
        foresee: relaying.encode,
        handle: relaying.publish,
        signal: AbortSignal.any([signal, over.signal]),
      },
      { backoffMaxMs: restartMaxMs, ...(observe?.onFailure === undefined ? {} : { onFailure: observe.onFailure }) },
    );
  } finally {
    clearInterval(looking);
    await relaying.settle();
  }
}

type Relaying = {
  readonly begin: () => Promise<Checkpoint | null>;
  /** Makes the records of a batch while the one before is on its way to Kafka. */
  readonly encode: (events: Events) => void;
  readonly publish: (batch: FeedBatch) => Promise<void>;
  /** Whether the relay has to begin again. */
  readonly look: () => Promise<boolean>;
  /** Resolves when the checkpoint does not move any more. */
  readonly settle: () => Promise<void>;
};

type Events = readonly RecordedEvent[];

function openRelaying(options: RunRelayOptions, watch: LossWatch): Relaying {
  const { store, readStore, producer, topicPrefix = '', observe } = options;
  const checkpoint = openMovingCheckpoint(readStore);
  // A batch that is never handled is forgotten with its events.
  const encoded = new WeakMap<Events, readonly EventRecord[]>();
  let schemas: WireSchemas | null = null;
  const encode = (events: Events): readonly EventRecord[] => {
    if (schemas === null) throw new Error('events before their checkpoint was asked for');
    const known = schemas;
    return events.flatMap((event) => encodeEventRecord(event, store.epoch, known) ?? []);
  };
  const send = (records: readonly EventRecord[]): Promise<void> =>
    producer.send(
      topicPrefix === '' ? records : records.map((record) => ({ ...record, topic: `${topicPrefix}${record.topic}` })),
    );
  return {
    begin: async () => {
      const stored = await checkpoint.load();
      const lost = await watch.lostTopic(stored);
      if (lost !== null && stored !== null) {
        await checkpoint.forget(stored);
        watch.noteRefill(lost);
        observe?.onLoss?.(lost);
      }
      schemas = await options.schemas();
      return checkpoint.at();
    },
    encode: (events) => void encoded.set(events, encode(events)),
    publish: async ({ events, checkpoint: to, atEnd }) => {
      const records = encoded.get(events) ?? encode(events);
      await all([send(records), checkpoint.moved()]);
      checkpoint.move(to);
      if (atEnd) await checkpoint.moved();
      observe?.onBatch?.(countOf(records));
    },
    look: async () => checkpoint.hasFailed() || (await watch.lostTopic(checkpoint.at())) !== null,
    settle: () => checkpoint.moved().catch(() => undefined),
  };
}

/** Waits for both also where one fails: nothing is under way any more when it does. */
async function all(both: readonly Promise<void>[]): Promise<void> {
  for (const outcome of await Promise.allSettled(both)) if (outcome.status === 'rejected') throw outcome.reason;
}

function countOf(records: readonly EventRecord[]): ReadonlyMap<EventTopic, number> {
  const counts = new Map<EventTopic, number>();
  for (const { topic } of records) counts.set(topic, (counts.get(topic) ?? 0) + 1);
  return counts;
}
