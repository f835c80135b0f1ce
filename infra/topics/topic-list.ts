import type { TopicSettings } from './port.ts';

const dayMs = 86_400_000;

/** Enough for twelve projectors; never changed later, since keys would move to other partitions. */
const partitions = 12;
/** What cannot be read is rare, and is looked at by people. */
const deadLetterPartitions = 3;
const replication = 3;

/**
 * Nothing is compacted: an order's earlier events are its history, and two commands or two outcomes of an order are two
 * things said. Events are kept for ever, so that anyone can read them from the first; commands and outcomes for a week,
 * for their truth is in the store.
 */
const forever = { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' };
const aWeek = { 'cleanup.policy': 'delete', 'retention.ms': String(7 * dayMs) };
/**
 * Publishers compress as they like, and the broker takes it apart within its bound of a batch: kafkajs reads gzip alone, and
 * a megabyte of that may unpack to a thousand.
 */
const unpacked = { 'compression.type': 'uncompressed' };
/** The original bytes, as large as the broker took them (1 MiB by default), and the reason beside them. */
const deadLetter = {
  'cleanup.policy': 'delete',
  'retention.ms': String(90 * dayMs),
  'max.message.bytes': String(2 * 1_024 * 1_024),
};

export const deadLetterSuffix = '.dead-letter';

/** Every topic of contract.md as it is to be on three brokers or more. */
export const topicList: readonly TopicSettings[] = [
  { name: 'order.commands', partitions, replication, config: { ...aWeek, ...unpacked } },
  { name: 'order.command-outcomes', partitions, replication, config: aWeek },
  { name: 'order.events', partitions, replication, config: forever },
  { name: 'stock.events', partitions, replication, config: forever },
  ...['order.commands', 'order.events', 'stock.events'].map((name) => ({
    name: `${name}${deadLetterSuffix}`,
    partitions: deadLetterPartitions,
    replication,
    config: deadLetter,
  })),
];
