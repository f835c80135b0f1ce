import type { Position, RecordedEvent } from '../../schemas/envelope.ts';
import type { Category } from '../../schemas/ids.ts';

/** Where a consumer stands in one partition: opaque to it, kept by it beside what it wrote. */
export type Checkpoint = Position;

/** The log has one partition, 'log'; on Kafka they are named `<topic>/<number>`. */
export type Partition = string;

export type FeedBatch = {
  readonly partition: Partition;
  /** In the log's order within the partition; every event of one stream comes through one partition. May be empty: then only the checkpoint moves. */
  readonly events: readonly RecordedEvent[];
  /** Covers all events of the batch: store it in the transaction that stores what came of them. */
  readonly checkpoint: Checkpoint;
  /** Whether nothing more was ready when the batch was read: for lag metrics. */
  readonly atEnd: boolean;
};

export type Subscription = {
  /** Names the consumer: a group on Kafka, a word in logs here. */
  readonly consumer: string;
  readonly categories: readonly Category[];
  /** 1 to 5,000 events. */
  readonly batchMax: number;
  /** Asked once for each partition before its first batch; null: from the beginning. */
  readonly loadCheckpoint: (partition: Partition) => Promise<Checkpoint | null>;
  /**
   * Told the events of a batch as soon as they are read, which may be while the one before is handled: for what need not
   * wait for its turn. Some are never handled. What it throws ends the run.
   */
  readonly foresee?: (events: readonly RecordedEvent[]) => void;
  /** One batch at a time for each partition; at most one more is read ahead, so a slow consumer is bounded. */
  readonly handle: (batch: FeedBatch) => Promise<void>;
  /** Aborting it ends `run` within a second of the handler's return. */
  readonly signal: AbortSignal;
};

/**
 * Ordered batches of events: at least once, per-stream order kept, from any stored checkpoint.
 * `run` ends when the signal is aborted, and throws what `loadCheckpoint`, `handle` or the store threw: its caller
 * starts it again from the stored checkpoint (see runConsumer in infra/event-feed/run-consumer.ts).
 */
export type EventFeed = {
  run(subscription: Subscription): Promise<void>;
};

/** A feed of published events: a broker holds them, and other processes share the work. */
export type PublishedFeed = EventFeed & {
  /** Whether it has all of these. */
  has(categories: readonly Category[]): boolean;
  /** How many records lie after these checkpoints of one consumer, whoever runs it: for metrics. */
  behind(categories: readonly Category[], checkpoints: readonly PartitionCheckpoint[]): Promise<number>;
  close(): Promise<void>;
};

export type PartitionCheckpoint = { readonly partition: Partition; readonly position: Checkpoint };

/** The consumer that publishes the log: its checkpoint's name, and its lease's. */
export const relayConsumer = 'event-relay';
