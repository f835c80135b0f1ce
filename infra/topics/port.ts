/** What a topic is to be, or is. */
export type TopicSettings = {
  readonly name: string;
  readonly partitions: number;
  /** Copies of each partition. */
  readonly replication: number;
  /** The broker's own names; only those that we care for. */
  readonly config: Readonly<Record<string, string>>;
};

/** What a broker has under a name. */
export type FoundTopic = TopicSettings & {
  /** Whether any record was ever written to it. */
  readonly isEmpty: boolean;
};

/** Where each partition of a topic ends: the offset that its next record gets. It never goes back but with the topic. */
export type EndOffsets = ReadonlyMap<number, number>;

/**
 * The topics of a Kafka, and what is to be changed about them. Throws OperationalFailure KAFKA_UNAVAILABLE (retryable).
 */
export type Topics = {
  /** How many brokers there are to hold copies. */
  brokers(): Promise<number>;
  /** Those of the names that exist, with the settings that `config` names. */
  find(names: readonly string[], config: readonly string[]): Promise<readonly FoundTopic[]>;
  /** Makes it, unless somebody did by now. */
  create(topic: TopicSettings): Promise<void>;
  /** More partitions: the keys of what is written from then on may lie in other ones than before. */
  grow(name: string, partitions: number): Promise<void>;
  /** Sets these; every other setting stays as it is. */
  configure(name: string, config: TopicSettings['config']): Promise<void>;
  /** By topic; without those that do not exist. */
  endOffsets(names: readonly string[]): Promise<ReadonlyMap<string, EndOffsets>>;
};
