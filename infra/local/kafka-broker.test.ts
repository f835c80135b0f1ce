import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel, type Consumer, type Producer } from 'kafkajs';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { describeWithKafka, describeWithKafkaBroker, freshTopicPrefix, kafkaBrokers } from '../../test/kafka.ts';
import { claimDataDir } from './data-dir.ts';
import { startKafkaBroker, type KafkaBroker } from './kafka-broker.ts';
import { identify } from './process-identity.ts';

function client(brokers: string): Kafka {
  return new Kafka({ clientId: 'test', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
}

async function produce(kafka: Kafka, topic: string, values: readonly string[]): Promise<void> {
  const producer: Producer = kafka.producer();
  await producer.connect();
  await producer.send({ topic, acks: -1, messages: values.map((value) => ({ key: 'key', value })) });
  await producer.disconnect();
}

async function consume(kafka: Kafka, topic: string, count: number): Promise<readonly string[]> {
  const consumer: Consumer = kafka.consumer({ groupId: `test-${randomUUID()}`, sessionTimeout: 6_000 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const values: string[] = [];
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: ({ message }) => {
          values.push(message.value?.toString() ?? '');
          if (values.length >= count) resolve();
          return Promise.resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return values;
}

describeWithKafka("the run's Kafka", () => {
  it('keeps the order of a key, for a group that reads from the first record', async () => {
    const kafka = client(kafkaBrokers());
    const topic = `${freshTopicPrefix()}orders`;
    const admin = kafka.admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 3 }] });
    await admin.disconnect();
    await produce(kafka, topic, ['1', '2', '3']);
    expect(await consume(kafka, topic, 3)).toEqual(['1', '2', '3']);
  });

  it('makes no topic unasked', async () => {
    const kafka = new Kafka({
      clientId: 'test',
      brokers: kafkaBrokers().split(','),
      logLevel: logLevel.NOTHING,
      retry: { retries: 0 },
    });
    await expect(produce(kafka, `${freshTopicPrefix()}typo`, ['1'])).rejects.toThrow(/does not host this topic/);
  });
});

describeWithKafkaBroker('a broker of our own', () => {
  let folder: string;
  let broker: KafkaBroker | undefined;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-center-own-kafka-'));
  });

  afterEach(async () => {
    await broker?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has what it had acknowledged after a SIGKILL, on the same port', { timeout: 240_000 }, async () => {
    broker = await startKafkaBroker({ folder });
    const { brokers } = broker;
    const admin = client(brokers).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }] });
    await admin.disconnect();
    await produce(client(brokers), 'orders', ['before']);
    const first = broker.pid();
    await broker.kill();
    expect(identify(first)).toBeNull();
    expect(await broker.exited()).toBe('SIGKILL');

    await broker.startAgain();
    expect(broker.brokers).toBe(brokers);
    await produce(client(brokers), 'orders', ['after']);
    expect(await consume(client(brokers), 'orders', 2)).toEqual(['before', 'after']);
  });

  it('refuses a folder that another owner has, and says whose it is', async () => {
    const claim = await claimDataDir(folder);
    const message: unknown = expect.stringContaining(`process ${process.pid} `);
    await expect(startKafkaBroker({ folder })).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', message });
    await claim.release();
  });

  it('says why it does not start', { timeout: 120_000 }, async () => {
    const failure = startKafkaBroker({ folder, settings: { 'log.retention.ms': 'never' } });
    await expect(failure).rejects.toThrow(/log\.retention\.ms/);
  });
});
