import type { Logger } from 'pino';
import { eventTopics } from '../../../schemas/wire/event-record.ts';
import type { Category } from '../../../schemas/ids.ts';
import type { EventStore } from '../../event-store/port.ts';
import { consumeKafka } from '../../kafka/consumer.ts';
import type { KafkaAddress } from '../../kafka/kafka-url.ts';
import type { AssignedPartition, IncomingRecord, RecordBatch } from '../../kafka/port.ts';
import { openTopicEnds } from '../../kafka/topic-ends.ts';
import type { RecordSchemas } from '../../schema-registry/port.ts';
import { withoutRegistry } from '../../schema-registry/record-schemas.ts';
import type { Checkpoint, PublishedFeed, Subscription } from '../port.ts';
import { printOf, toCheckpoint, toPlace, type Place } from './place.ts';
import { readRecords, type PassedOver } from './read-records.ts';

export type KafkaFeedOptions = {
  readonly address: KafkaAddress;
  /** Whose events they are: records of another epoch are passed over. */
  readonly store: Pick<EventStore, 'epoch'>;
  readonly log: Logger;
  /** No registry if absent. */
  readonly schemas?: Pick<RecordSchemas, 'load'>;
  /** The published ones if absent. */
  readonly topics?: EventTopics;
  /** Before the consumer's name. `order-center.` if absent. */
  readonly groupPrefix?: string;
  readonly onPassedOver?: (topic: string, passedOver: PassedOver) => void;
};

export type EventTopics = Readonly<Record<Exclude<Category, 'fulfillment'>, string>>;

/**
 * The topics of published events. Members of a consumer's group share their partitions, named `<topic>/<number>`. The
 * stored checkpoint is the truth: it is asked for whenever the group gives a partition, and Kafka's own offsets follow
 * it only for who looks at the group.
 *
 * A partition that was emptied, filled anew, or cut at its beginning is read from its first record again: the consumer
 * knows by stream and revision what it has seen. What cannot be read is passed over and told.
 */
export function openKafkaFeed(options: KafkaFeedOptions): PublishedFeed {
  const { address, log, topics = eventTopics, groupPrefix = 'order-center.' } = options;
  const ends = openTopicEnds({ address, clientId: 'order-center lag', log });
  return {
    has: (categories) => categories.every((category) => category !== 'fulfillment'),
    behind: async (categories, checkpoints) => {
      const offsets = new Map(
        checkpoints.map(({ partition, position }) => [partition, toPlace(position)?.offset ?? 0]),
      );
      const partitions = [...(await ends.of(topicsOf(topics, categories)))];
      return partitions.reduce((sum, [name, { first, end }]) => {
        const next = Math.max(offsets.get(name) ?? 0, first);
        // Beyond the end: the topic was emptied, and all of it is read again.
        return sum + (next > end ? end - first : end - next);
      }, 0);
    },
    close: () => ends.close(),
    run: async (subscription) => {
      const { consumer, categories, batchMax, signal } = subscription;
      const partitions = new Map<string, Standing>();
      await consumeKafka(
        { address, clientId: `order-center ${consumer}`, log },
        {
          group: `${groupPrefix}${consumer}`,
          topics: topicsOf(topics, categories),
          batchMax,
          signal,
          startAt: async (assigned) => {
            const standing = standingAt(assigned, await subscription.loadCheckpoint(nameOf(assigned)));
            partitions.set(nameOf(assigned), standing);
            tellStart(options, subscription, { assigned, standing });
            return standing.startOffset;
          },
          handle: async (batch) => {
            const standing = partitions.get(nameOf(batch));
            if (standing === undefined) throw new Error(`records of ${nameOf(batch)}, which was not assigned`);
            await handleBatch({ ...options, subscription, standing }, batch);
          },
        },
      );
    },
  };
}

function nameOf({ topic, partition }: { readonly topic: string; readonly partition: number }): string {
  return `${topic}/${partition}`;
}

function topicsOf(topics: EventTopics, categories: readonly Category[]): readonly string[] {
  return categories.map((category) => {
    if (category === 'fulfillment') throw new Error('events of fulfillment are not published: follow the log');
    return topics[category];
  });
}

/** Where this process stands in a partition that it has. */
type Standing = {
  readonly start: 'beginning' | 'resumed' | 'emptied' | 'cut';
  readonly startOffset: number;
  /** Where the partition begins. */
  readonly first: number;
  /** What the record before the checkpoint must look like; null: it was looked at, or there is none. */
  unproven: Place | null;
  position: Place['position'];
};

function standingAt({ first, end }: AssignedPartition, checkpoint: Checkpoint | null): Standing {
  const place = checkpoint === null ? null : toPlace(checkpoint);
  const fromFirst = { startOffset: first, first, unproven: null, position: place?.position ?? null };
  if (place === null) return { ...fromFirst, start: first > 0 ? 'cut' : 'beginning' };
  if (place.offset > end) return { ...fromFirst, start: 'emptied' };
  if (place.offset <= first) return { ...fromFirst, start: 'cut' };
  const startOffset = place.offset - 1;
  return { start: 'resumed', startOffset, first, unproven: place, position: place.position };
}

type Started = { readonly assigned: AssignedPartition; readonly standing: Standing };

function tellStart(
  { log }: KafkaFeedOptions,
  { consumer }: Subscription,
  { assigned, standing: { start, startOffset } }: Started,
): void {
  const line = { consumer, partition: nameOf(assigned), position: startOffset };
  if (start === 'emptied') log.warn(line, 'the topic was emptied: it is read from its first record');
  else if (start === 'cut') log.warn(line, 'the topic lacks records that were not read: gaps are read from the store');
  else log.debug(line, 'a partition was given to this process');
}

type Handling = KafkaFeedOptions & { readonly subscription: Subscription; readonly standing: Standing };

async function handleBatch(handling: Handling, batch: RecordBatch): Promise<void> {
  const { subscription, standing, store, schemas = withoutRegistry } = handling;
  const records = provenRecords(handling, batch);
  const last = records?.at(-1);
  if (records === null || last === undefined) return;
  const known = await schemas.load(records.map(({ value }) => value));
  const { events, passedOver } = readRecords(records, store.epoch, known);
  for (const each of passedOver) tellPassedOver(handling, batch, each);
  const position = events.at(-1)?.position ?? standing.position;
  if (events.length > 0) subscription.foresee?.(events);
  await subscription.handle({
    partition: nameOf(batch),
    events,
    checkpoint: toCheckpoint({ position, offset: batch.nextOffset, print: printOf(last) }),
    atEnd: batch.nextOffset >= batch.endOffset,
  });
  standing.position = position;
}

/** What comes after the checkpoint; null: its record is not there any more, so the partition is read from its first one. */
function provenRecords(
  { standing, log, subscription }: Handling,
  batch: RecordBatch,
): readonly IncomingRecord[] | null {
  const { unproven, first } = standing;
  if (unproven === null) return batch.records;
  standing.unproven = null;
  const [before, ...after] = batch.records;
  if (before?.offset === unproven.offset - 1 && printOf(before) === unproven.print) return after;
  const line = { consumer: subscription.consumer, partition: nameOf(batch), position: first };
  log.warn(line, 'the topic was filled anew: it is read from its first record');
  batch.seek(first);
  return null;
}

function tellPassedOver({ log, subscription, onPassedOver }: Handling, batch: RecordBatch, passed: PassedOver): void {
  const { code, records, firstOffset } = passed;
  const line = {
    consumer: subscription.consumer,
    partition: nameOf(batch),
    code,
    count: records,
    position: firstOffset,
  };
  log.warn(line, 'records that are no events of this store were passed over');
  onPassedOver?.(batch.topic, passed);
}
