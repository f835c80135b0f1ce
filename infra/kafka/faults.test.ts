import { randomUUID } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { sayFault, secondsSince } from '../../test/fault-line.ts';
import { describeWithKafkaBroker } from '../../test/kafka.ts';
import { openTcpSwitch, type TcpSwitch } from '../../test/tcp-switch.ts';
import { startKafkaBroker, type KafkaBroker } from '../local/kafka-broker.ts';
import { freePort } from '../local/free-port.ts';
import { consumeKafka } from './consumer.ts';
import { parseKafkaUrl, type KafkaAddress } from './kafka-url.ts';
import type { IncomingRecord, OutgoingRecord } from './port.ts';
import { openKafkaProducer } from './producer.ts';

const log = pino({ level: 'silent' });
const soon = { timeout: 20_000, interval: 20 };

describeWithKafkaBroker('a Kafka behind a line that breaks', () => {
  let broker: KafkaBroker;
  let line: TcpSwitch;
  let address: KafkaAddress;
  let topic: string;
  beforeAll(async () => {
    const port = await freePort();
    line = await openTcpSwitch(port);
    // Its own clients (those that ask whether it serves) come through the line as well.
    broker = await startKafkaBroker({ port, advertisedPort: line.port });
    address = parseKafkaUrl(`kafka://127.0.0.1:${line.port}`);
  }, 120_000);
  afterAll(async () => {
    await line.close();
    await broker.stop();
  }, 60_000);
  beforeEach(async () => {
    topic = `test-${randomUUID()}`;
    const admin = new Kafka({ brokers: [...address.brokers], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1 }], waitForLeaders: true });
    await admin.disconnect();
  });
  const stops: (() => Promise<void>)[] = [];
  afterEach(async () => {
    line.to(broker.port, 'cut');
    await Promise.all(stops.splice(0).map((stop) => stop()));
  });

  const open = (options: { readonly deadlineMs?: number; readonly waitingMax?: number } = {}) => {
    const producer = openKafkaProducer({ address, clientId: 'test', log, ...options });
    stops.push(() => producer.close());
    return producer;
  };
  const records = (from: number, count: number): readonly OutgoingRecord[] =>
    Array.from({ length: count }, (_, n) => ({ topic, key: 'key', value: Buffer.from(String(from + n)) }));

  const consume = () => {
    const control = new AbortController();
    const got: IncomingRecord[] = [];
    const consumption = {
      ...{ group: `test-${randomUUID()}`, topics: [topic], batchMax: 100, signal: control.signal },
      startAt: () => Promise.resolve(0),
      handle: ({ records: read }: { readonly records: readonly IncomingRecord[] }) => {
        got.push(...read);
        return Promise.resolve();
      },
    };
    const ended = consumeKafka({ address, clientId: 'test', log }, consumption);
    ended.catch(() => undefined);
    stops.push(async () => {
      control.abort();
      await ended.catch(() => undefined);
    });
    return { ended, numbers: () => got.map(({ value }) => Number(String(value))) };
  };

  it('fails a send within its deadline where nobody answers, and goes on with a new connection', async () => {
    const producer = open();
    await producer.send(records(0, 1));
    line.silence();
    const startedAt = performance.now();
    const lost = [producer.send(records(1, 1)), producer.send(records(2, 1))];
    for (const send of lost) {
      await expect(send).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true });
    }
    const tookMs = performance.now() - startedAt;
    const detectedAfter = secondsSince(startedAt);
    expect(tookMs).toBeLessThan(6_000);
    expect(producer.waiting()).toBe(0);
    line.to(broker.port, 'cut');
    await producer.send(records(1, 2));
    const consumer = consume();
    // At least once: what was not answered may be there as well.
    await vi.waitFor(() => expect(new Set(consumer.numbers())).toEqual(new Set([0, 1, 2])), soon);
    sayFault('kafka-hole', { ops: 3, acked: 3, lost: 0, t_detect: detectedAfter, in_flight_max: 2 });
  });

  it('keeps the order of a key where answers are lost: what comes twice comes before what is new', async () => {
    const producer = open();
    await producer.send(records(0, 1));
    for (let n = 1; n <= 5; n += 1) {
      const sending = producer.send(records(n, 1)).catch(() => undefined);
      line.to(broker.port, 'cut');
      await sending;
      await vi.waitFor(() => producer.send(records(n, 1)), soon);
    }
    const consumer = consume();
    await vi.waitFor(() => expect(consumer.numbers()).toContain(5), soon);
    const numbers = consumer.numbers();
    const firsts = numbers.filter((number, index) => numbers.indexOf(number) === index);
    expect(firsts).toEqual([0, 1, 2, 3, 4, 5]);
    sayFault('kafka-answers-lost', { ops: 6, lost: 0, dup: numbers.length - firsts.length });
  });

  it('refuses what is more than may wait, at once', async () => {
    const producer = open({ waitingMax: 5 });
    const first = producer.send(records(0, 4));
    await expect(producer.send(records(4, 2))).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    await expect(first).resolves.toBeUndefined();
    expect(producer.waiting()).toBe(0);
  });

  it('fails alone a call whose record the broker does not take', async () => {
    const producer = open();
    const tooLarge = [{ topic, key: 'key', value: Buffer.alloc(1_100_000) }];
    const sends = [producer.send(records(0, 1)), producer.send(tooLarge), producer.send(records(1, 1))];
    const [before, large, after] = await Promise.allSettled(sends);
    expect([before?.status, after?.status]).toEqual(['fulfilled', 'fulfilled']);
    expect(large).toMatchObject({ reason: { code: 'EVENT_TOO_LARGE', retryable: false } });
  });

  it('sends more than one produce holds, in order', async () => {
    const producer = open();
    const many = Array.from({ length: 40 }, (_, n) => ({ topic, key: 'key', value: Buffer.alloc(100_000, String(n)) }));
    await producer.send(many);
    const consumer = consume();
    await vi.waitFor(() => expect(consumer.numbers()).toHaveLength(40), soon);
  });

  it('a consumer goes on after its connections were cut, without a restart', async () => {
    const consumer = consume();
    const producer = open();
    await producer.send(records(0, 1));
    await vi.waitFor(() => expect(consumer.numbers()).toEqual([0]), soon);
    line.to(broker.port, 'cut');
    await vi.waitFor(() => producer.send(records(1, 1)), soon);
    await vi.waitFor(() => expect(consumer.numbers()).toContain(1), soon);
  });

  it('a consumer whose broker does not answer ends, and does not hang', { timeout: 90_000 }, async () => {
    const consumer = consume();
    await open().send(records(0, 1));
    await vi.waitFor(() => expect(consumer.numbers()).toEqual([0]), soon);
    line.silence();
    await expect(consumer.ended).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE', retryable: true });
  });

  it('a consumer of a topic that is not there ends with its name', { timeout: 60_000 }, async () => {
    topic = `missing-${randomUUID()}`;
    await expect(consume().ended).rejects.toMatchObject({ code: 'KAFKA_UNAVAILABLE' });
  });
});
