import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { describeWithKafka, freshTopicPrefix, kafkaBrokers } from '../../test/kafka.ts';
import { consumeKafka } from './consumer.ts';
import { parseKafkaUrl, type KafkaAddress } from './kafka-url.ts';
import type { Consumption, IncomingRecord, RecordBatch } from './port.ts';
import { openKafkaProducer } from './producer.ts';

const log = pino({ level: 'silent' });
const soon = { timeout: 10_000, interval: 10 };

/** On the run's broker. */
function address(): KafkaAddress {
  return parseKafkaUrl(`kafka://${kafkaBrokers()}`);
}

async function newTopic(partitions = 3): Promise<string> {
  const topic = `${freshTopicPrefix()}topic`;
  const admin = new Kafka({ brokers: [...address().brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  await admin.createTopics({ topics: [{ topic, numPartitions: partitions }], waitForLeaders: true });
  await admin.disconnect();
  return topic;
}

function consume(topic: string, options: Partial<Consumption> = {}) {
  const control = new AbortController();
  const batches: RecordBatch[] = [];
  const ended = consumeKafka(
    { address: address(), clientId: 'test', log },
    {
      group: `test-${randomUUID()}`,
      topics: [topic],
      batchMax: 100,
      ...options,
      handle: async (batch) => {
        batches.push(batch);
        await options.handle?.(batch);
      },
      signal: control.signal,
    },
  );
  ended.catch(() => undefined);
  const records = (): IncomingRecord[] => batches.flatMap((batch) => batch.records);
  return {
    batches,
    records,
    ended,
    stop: async () => {
      control.abort();
      await ended;
    },
  };
}

describeWithKafka('producer and consumer on a real broker', () => {
  it('brings each key in order, whatever process reads it', async () => {
    const topic = await newTopic();
    const producer = openKafkaProducer({ address: address(), clientId: 'test', log });
    const sent = Array.from({ length: 1_000 }, (_, n) => ({
      topic,
      key: `key-${n % 10}`,
      value: Buffer.from(String(n)),
      headers: { n: String(n) },
    }));
    await producer.send(sent);
    const consumer = consume(topic);
    await vi.waitFor(() => expect(consumer.records()).toHaveLength(1_000), soon);
    await consumer.stop();
    await producer.close();
    for (const [, records] of Map.groupBy(consumer.records(), ({ key }) => String(key))) {
      const numbers = records.map(({ value }) => Number(String(value)));
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
      expect(numbers).toHaveLength(100);
    }
  });

  it('starts where it is told to at each assignment', async () => {
    const topic = await newTopic(1);
    const producer = openKafkaProducer({ address: address(), clientId: 'test', log });
    await producer.send(Array.from({ length: 50 }, (_, n) => ({ topic, key: 'a', value: Buffer.from(String(n)) })));
    const consumer = consume(topic, { startAt: () => Promise.resolve(20) });
    await vi.waitFor(() => expect(consumer.records().map(({ offset }) => offset)[0]).toBe(20), soon);
    await vi.waitFor(() => expect(consumer.records()).toHaveLength(30), soon);
    await consumer.stop();
    await producer.close();
  });

  it('ends with what the handler threw', async () => {
    const topic = await newTopic(1);
    const producer = openKafkaProducer({ address: address(), clientId: 'test', log });
    await producer.send([{ topic, key: 'a', value: Buffer.from('x') }]);
    const consumer = consume(topic, { handle: () => Promise.reject(new Error('a bug of the handler')) });
    await expect(consumer.ended).rejects.toThrow('a bug of the handler');
    await producer.close();
  });
});
