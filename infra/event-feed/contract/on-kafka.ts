import { pino } from 'pino';
import { Kafka, logLevel } from 'kafkajs';
import { expect, vi } from 'vitest';

import { encodeEventRecord } from '../../../schemas/wire/event-record.ts';
import { freshTopicPrefix, kafkaBrokers } from '../../../test/kafka.ts';
import { openMemoryEventStore } from '../../event-store/memory/memory-event-store.ts';
import { newMemoryLog } from '../../event-store/memory/memory-log.ts';
import type { EventStore } from '../../event-store/port.ts';
import { parseKafkaUrl, type KafkaAddress } from '../../kafka/kafka-url.ts';
import type { KafkaProducer, OutgoingRecord } from '../../kafka/port.ts';
import { openKafkaProducer } from '../../kafka/producer.ts';
import { openKafkaFeed, type EventTopics } from '../kafka/kafka-feed.ts';
import { openLogFeed } from '../log/log-feed.ts';
import type { Checkpoint, FeedBatch } from '../port.ts';
import { runConsumer } from '../run-consumer.ts';
import { soon, type FeedUnderTest } from './consume.ts';

/** Topics and groups that no other test has, on the run's broker or another one. */
export type TestTopics = {
  readonly address: KafkaAddress;
  readonly topics: EventTopics;
  readonly groupPrefix: string;
  make(): Promise<void>;
  /** Resolves when they are gone for everybody. */
  remove(): Promise<void>;
};

export const silent = pino({ level: 'silent' });

export function freshTopics(brokers = kafkaBrokers(), partitions = 3, prefix = freshTopicPrefix()): TestTopics {
  const topics = { order: `${prefix}order.events`, stock: `${prefix}stock.events` };
  const asAdmin = async (work: (admin: ReturnType<Kafka['admin']>) => Promise<unknown>): Promise<void> => {
    const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    try {
      await work(admin);
    } finally {
      await admin.disconnect();
    }
  };
  const made = Object.values(topics).map((topic) => ({ topic, numPartitions: partitions }));
  return {
    address: parseKafkaUrl(`kafka://${brokers}`),
    topics,
    groupPrefix: prefix,
    make: () => asAdmin((admin) => admin.createTopics({ topics: made, waitForLeaders: true })),
    remove: () =>
      asAdmin(async (admin) => {
        await admin.deleteTopics({ topics: Object.values(topics) });
        await vi.waitFor(async () => expect(await admin.listTopics()).not.toContain(topics.order), soon);
      }),
  };
}

/** What the relay does, without its promises: everything that is appended is published, in order. */
export function startRelay(store: EventStore, { address, topics }: TestTopics): { readonly stop: () => Promise<void> } {
  const producer = openKafkaProducer({ address, clientId: 'test relay', log: silent });
  const control = new AbortController();
  let published: Checkpoint | null = null;
  const running = runConsumer(openLogFeed(store, { pollMs: 20 }), {
    ...{ consumer: 'test relay', categories: ['order', 'stock'], batchMax: 1_000, signal: control.signal },
    loadCheckpoint: () => Promise.resolve(published),
    handle: async ({ events, checkpoint }) => {
      await publish(producer, { events, epoch: store.epoch, topics });
      published = checkpoint;
    },
  });
  running.catch(() => undefined);
  return {
    stop: async () => {
      control.abort();
      await running;
      await producer.close();
    },
  };
}

type Publishing = { readonly events: FeedBatch['events']; readonly epoch: string; readonly topics: EventTopics };

export async function publish(producer: KafkaProducer, { events, epoch, topics }: Publishing): Promise<void> {
  await producer.send(events.map((event) => recordOf(event, epoch, topics)));
}

function recordOf(event: FeedBatch['events'][number], epoch: string, topics: EventTopics): OutgoingRecord {
  const record = encodeEventRecord(event, epoch);
  if (record === null) throw new Error(`${event.type} is not published`);
  return { ...record, topic: record.topic === 'order.events' ? topics.order : topics.stock };
}

/** A store in memory, a relay and the feed. */
export async function openOnKafka(): Promise<FeedUnderTest> {
  const log = newMemoryLog();
  const store = openMemoryEventStore({ log });
  const topics = freshTopics();
  await topics.make();
  const relay = startRelay(store, topics);
  return {
    store,
    second: () => Promise.resolve(openMemoryEventStore({ log })),
    feed: openKafkaFeed({ ...topics, store, log: silent }),
    close: async () => {
      await relay.stop();
      await topics.remove();
    },
  };
}
