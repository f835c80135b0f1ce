import { randomUUID } from 'node:crypto';
import { Kafka, logLevel, type Admin } from 'kafkajs';

import { eachFeedEvent } from '../orders/read-orders.ts';
import type { HttpClient } from '../orders/http-client.ts';
import { within } from '../../infra/within.ts';

export type Published = {
  /** Events of orders in the log. */
  readonly events: number;
  /** Records on the topic; more than events, where some were produced again. */
  readonly records: number;
  /** One sentence for each event that is not there, or not in its order's order. */
  readonly problems: readonly string[];
};

const topic = 'order.events';
const readWithinMs = 120_000;

/** Reads the topic as a stranger would, from its first record to its last, and compares it with the analysts' feed. */
export async function comparePublished(brokers: string, client: HttpClient): Promise<Published> {
  const wanted = new Map<string, number>();
  for await (const { stream } of eachFeedEvent(client, 'category=order')) {
    wanted.set(stream, (wanted.get(stream) ?? 0) + 1);
  }
  const { records, nextRevision, problems } = await readTopic(brokers);
  const missing = [...wanted].filter(([stream, events]) => (nextRevision.get(stream) ?? 0) < events);
  const events = [...wanted.values()].reduce((sum, one) => sum + one, 0);
  return {
    events,
    records,
    problems: [
      ...problems,
      ...missing.map(
        ([stream, count]) => `${topic}: ${stream} has ${count} events, ${nextRevision.get(stream) ?? 0} there`,
      ),
    ],
  };
}

type Read = {
  readonly records: number;
  /** By stream: how many of its events came, each after the one before it. */
  readonly nextRevision: ReadonlyMap<string, number>;
  readonly problems: readonly string[];
};

async function readTopic(brokers: string): Promise<Read> {
  const kafka = new Kafka({ clientId: 'stack-run', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = kafka.admin();
  const consumer = kafka.consumer({ groupId: `stack-run-${randomUUID()}`, sessionTimeout: 10_000 });
  try {
    await admin.connect();
    await consumer.connect();
    const left = await endOffsets(admin);
    const nextRevision = new Map<string, number>();
    const problems: string[] = [];
    let records = 0;
    const done = Promise.withResolvers<true>();
    if (left.size === 0) done.resolve(true);
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: ({ partition, message }) => {
        const end = left.get(partition);
        if (end === undefined) return Promise.resolve();
        records += 1;
        const stream = String(message.headers?.ce_subject);
        const revision = Number(message.headers?.ce_sequence);
        const next = nextRevision.get(stream) ?? 0;
        // One that comes again is a repetition; one that comes early follows a gap.
        if (revision > next) problems.push(`${topic}: ${stream} goes from revision ${next - 1} to ${revision}`);
        nextRevision.set(stream, Math.max(next, revision + 1));
        if (BigInt(message.offset) >= end - 1n) left.delete(partition);
        if (left.size === 0) done.resolve(true);
        return Promise.resolve();
      },
    });
    if ((await within(readWithinMs, done.promise)) === null) problems.push(`${topic} was not read to its end in time`);
    return { records, nextRevision, problems };
  } finally {
    await Promise.allSettled([consumer.disconnect(), admin.disconnect()]);
  }
}

/** Of the partitions that hold records. */
async function endOffsets(admin: Admin): Promise<Map<number, bigint>> {
  const offsets = await admin.fetchTopicOffsets(topic);
  return new Map(
    offsets.filter(({ low, high }) => high !== low).map(({ partition, high }) => [partition, BigInt(high)] as const),
  );
}
