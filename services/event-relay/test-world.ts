import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { pino } from 'pino';
import { expect, vi } from 'vitest';
import { openLogFeed } from '../../infra/event-feed/log/log-feed.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import { consumeKafka } from '../../infra/kafka/consumer.ts';
import { parseKafkaUrl } from '../../infra/kafka/kafka-url.ts';
import type { IncomingRecord } from '../../infra/kafka/port.ts';
import { openKafkaProducer } from '../../infra/kafka/producer.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { applyTopics, diffTopics } from '../../infra/topics/apply.ts';
import { openTopics } from '../../infra/topics/open.ts';
import type { TopicSettings, Topics } from '../../infra/topics/port.ts';
import { topicList } from '../../infra/topics/topic-list.ts';
import { anOrderId, appendAll, placement } from '../../projections/examples.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { decodeEventRecord } from '../../schemas/wire/event-record.ts';
import { noRegistry } from '../../schemas/wire/wire-schemas.ts';
import { runRelay, type RunRelayOptions } from './relay.ts';

export const log = pino({ level: 'silent' });

export function eventTopicsOf(prefix: string): readonly TopicSettings[] {
  return topicList
    .filter(({ name }) => name.endsWith('.events'))
    .map((topic) => ({ ...topic, name: `${prefix}${topic.name}`, partitions: 3 }));
}

export async function makeTopics(topics: Topics, prefix: string): Promise<void> {
  await applyTopics(topics, eventTopicsOf(prefix));
}

/** Orders of three events each, placed one after the other; `from` continues a row. */
export async function placeOrders(store: EventStore, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += 1) {
    const orderId = anOrderId(`relayed-${n}`);
    await appendAll(store, [
      placement(orderId),
      { type: 'DispatchBegun', data: { orderId } },
      { type: 'OrderCancelled', data: { orderId, reason: 'test' } },
    ]);
  }
}

export type RelayWorld = ReturnType<typeof openRelayWorld>;

/** A relay between a log in memory and topics of its own on a real Kafka. */
export function openRelayWorld(brokers: string, prefix: string, store: EventStore = openMemoryEventStore()) {
  const url = `kafka://${brokers}`;
  const readStore = openMemoryReadStore();
  const topics = openTopics(url, log);
  const closers: (() => Promise<void>)[] = [];
  const start = (options: Partial<RunRelayOptions> = {}) => {
    const control = new AbortController();
    const producer = openKafkaProducer({ address: parseKafkaUrl(url), clientId: `relay-${randomUUID()}`, log });
    const running = runRelay({
      ...{ feed: openLogFeed(store), store, readStore, producer, topics, topicPrefix: prefix },
      ...{ schemas: () => Promise.resolve(noRegistry), lookEveryMs: 200 },
      ...options,
      signal: control.signal,
    });
    running.catch(() => undefined);
    const stop = async (): Promise<void> => {
      control.abort();
      await running.finally(() => producer.close());
    };
    closers.push(stop);
    return { running, stop };
  };
  return {
    ...{ store, readStore, topics, start },
    /** Deletes the topics with all that is in them, and makes them anew. */
    remakeTopics: async () => {
      const admin = new Kafka({ brokers: brokers.split(','), logLevel: logLevel.NOTHING }).admin();
      await admin.connect();
      await admin.deleteTopics({ topics: eventTopicsOf(prefix).map(({ name }) => name) });
      await admin.disconnect();
      // The broker deletes in its own time; until then neither the old name nor the new topic is of use.
      const settings = eventTopicsOf(prefix);
      await vi.waitFor(
        async () => {
          await applyTopics(topics, settings);
          expect(await diffTopics(topics, settings)).toEqual([]);
        },
        { timeout: 30_000, interval: 100 },
      );
    },
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close().catch(() => undefined);
    },
  };
}

const readWithinMs = 60_000;

/** Every record that is in the topics now, each partition in its order. */
export async function readTopics(brokers: string, topics: Topics, prefix: string): Promise<readonly IncomingRecord[]> {
  const names = eventTopicsOf(prefix).map(({ name }) => name);
  const ends = await topics.endOffsets(names);
  const total = [...ends.values()].flatMap((end) => [...end.values()]).reduce((sum, end) => sum + end, 0);
  const records: IncomingRecord[] = [];
  if (total === 0) return records;
  const control = new AbortController();
  const late = setTimeout(() => control.abort(), readWithinMs);
  await consumeKafka(
    { address: parseKafkaUrl(`kafka://${brokers}`), clientId: 'reader', log },
    {
      ...{ group: `test-${randomUUID()}`, topics: names, batchMax: 5_000, signal: control.signal },
      handle: (batch) => {
        records.push(...batch.records);
        if (records.length >= total) control.abort();
        return Promise.resolve();
      },
    },
  );
  clearTimeout(late);
  if (records.length < total) throw new Error(`read ${records.length} of ${total} records`);
  return records;
}

export type Published = {
  /** The events of the topics, each once, in the order in which a reader meets them first. */
  readonly events: readonly RecordedEvent[];
  readonly duplicates: number;
  /** Streams whose events do not come first as 0, 1, 2 …: I9. */
  readonly outOfOrder: readonly StreamName[];
};

/** What a reader makes of the records that drops what it has seen of a stream. */
export function readEvents(records: readonly IncomingRecord[]): Published {
  const next = new Map<StreamName, number>();
  const outOfOrder = new Set<StreamName>();
  const events: RecordedEvent[] = [];
  for (const record of records) {
    const read = decodeEventRecord(record);
    if (read.kind === 'unreadable') throw new Error(`${read.code} ${read.detail}`);
    const { stream, revision } = read.event;
    const expected = next.get(stream) ?? 0;
    if (revision < expected) continue;
    if (revision > expected) outOfOrder.add(stream);
    next.set(stream, revision + 1);
    events.push(read.event);
  }
  return { events, duplicates: records.length - events.length, outOfOrder: [...outOfOrder] };
}

/** Every event of the log that a topic is to hold, by id. */
export async function logOf(store: EventStore): Promise<ReadonlyMap<string, RecordedEvent>> {
  const events = new Map<string, RecordedEvent>();
  for (let after: RecordedEvent['position'] | null = null; ;) {
    const page = await store.readLog({ after, categories: ['order', 'stock'], limit: 5_000 });
    for (const event of page.events) events.set(event.eventId, event);
    if (page.atEnd) return events;
    after = page.checkpoint;
  }
}
