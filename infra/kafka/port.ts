import type { ReceivedRecord } from '../../schemas/wire/record.ts';

/**
 * Kafka in our words: what the feed, the relay and the command doors say to it. No type of the driver leaves this folder.
 */

/** A record to be written. Records of one key keep their order within a call, and from one acknowledged call to the next. */
export type OutgoingRecord = {
  readonly topic: string;
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  /** As they came, for a record that is handed on. */
  readonly headers?: ReceivedRecord['headers'];
};

export type TopicPartition = { readonly topic: string; readonly partition: number };

/** A record as it was read. Nothing of it is checked: whoever can write to the topic wrote it. */
export type IncomingRecord = TopicPartition &
  ReceivedRecord & {
    readonly offset: number;
    /** The producer's clock or the broker's, as the topic says. Epoch milliseconds. */
    readonly timestampMs: number;
  };

/**
 * At least once: after a failure the same records may be there already, once or several times. It never waits longer
 * than its deadline, and never holds more than its bounds.
 */
export type KafkaProducer = {
  /**
   * Resolves when every in-sync replica has all records. Calls at the same time share a produce, one of which is in
   * flight at a time. After a failure the records may be there or not: send the same ones again before later ones.
   * @throws OperationalFailure KAFKA_UNAVAILABLE (retryable), OVERLOADED (too many records wait), EVENT_TOO_LARGE (a record
   * that the broker does not take; nothing else of the produce was taken)
   */
  send(records: readonly OutgoingRecord[]): Promise<void>;
  /** Records that wait or are in flight: for metrics. */
  waiting(): number;
  close(): Promise<void>;
};

/** A partition that the group gave to this member, with the offsets that the broker has: `first` inclusive, `end` exclusive. */
export type AssignedPartition = TopicPartition & { readonly first: number; readonly end: number };

export type RecordBatch = TopicPartition & {
  /** 1 to `batchMax`, in the partition's order. */
  readonly records: readonly IncomingRecord[];
  /** Where the partition goes on after them. */
  readonly nextOffset: number;
  /** Where the partition ended when they were fetched: exclusive. */
  readonly endOffset: number;
  /** Aborted when the group took the partition away: what was not made durable by then is another member's work. */
  readonly lost: AbortSignal;
  /** The partition goes on from here after this batch, which then counts for nothing. */
  readonly seek: (offset: number) => void;
};

export type Consumption = {
  /** Members of one group share the partitions. */
  readonly group: string;
  readonly topics: readonly string[];
  /** Records a batch, 1 to 5,000. */
  readonly batchMax: number;
  /**
   * Asked for each partition whenever the group gives it, before its first batch, and when its topic was emptied. Absent:
   * the group's committed offset, or the first where there is none.
   */
  readonly startAt?: (partition: AssignedPartition) => Promise<number>;
  /** One batch at a time for each partition. When it resolves, the group's offset is committed; when it throws, nothing is. */
  readonly handle: (batch: RecordBatch) => Promise<void>;
  /**
   * Asked how far the group's offset may go of a partition that was handled up to `nextOffset`, where `handle` resolves
   * before its records are done. Absent: all the way.
   */
  readonly settledTo?: (partition: TopicPartition, nextOffset: number) => number;
  /** Aborting it ends the consumption within a second of the handler's return. */
  readonly signal: AbortSignal;
};

/** Where a member of the group stands in a partition that it has: for metrics. */
export type PartitionLag = TopicPartition & { readonly records: number };
