import { performance } from 'node:perf_hooks';
import type { Producer, TopicMessages } from 'kafkajs';
import type { Logger } from 'pino';
import { OperationalFailure } from '../failures.ts';
import { within } from '../within.ts';
import { openKafkaClient, type KafkaClient } from './client.ts';
import { kafkaFailure } from './failure.ts';
import type { KafkaAddress } from './kafka-url.ts';
import { javaPartitioner } from './partitioner.ts';
import type { KafkaProducer, OutgoingRecord } from './port.ts';
import { useRecordEncoder } from './record-encoder.ts';
import { bytesOf, outgoing } from './records.ts';

useRecordEncoder();

export type ProducerOptions = {
  readonly address: KafkaAddress;
  readonly clientId: string;
  readonly log: Logger;
  /** From the call to its answer, all retries included. 5,000 if absent. */
  readonly deadlineMs?: number;
  /** Records that wait or are in flight; more are refused with OVERLOADED. 20,000 if absent. */
  readonly waitingMax?: number;
};

/** Well below the broker's default of 1 MiB a batch, also where all records are of one partition. */
const produceBytesMax = 900 * 1_024;
const produceRecordsMax = 5_000;
const requestTimeoutMs = 2_000;
/** How long the broker itself waits for its replicas. */
const replicationTimeoutMs = 2_000;

type Call = {
  readonly records: readonly OutgoingRecord[];
  readonly bytes: number;
  readonly deadline: number;
  readonly resolve: () => void;
  readonly reject: (failure: OperationalFailure) => void;
};

/**
 * One produce in flight, of whatever was waiting when the last one ended: a retry can overtake nothing, and under load
 * the batches grow by themselves. A client whose produce was not answered in time is thrown away with its connections.
 * Partitions are chosen as Java's clients do (murmur2 of the key).
 */
export function openKafkaProducer(options: ProducerOptions): KafkaProducer {
  const { deadlineMs = 5_000, waitingMax = 20_000 } = options;
  const sender = openSender(options);
  let queue: Call[] = [];
  let waiting = 0;
  let flushing = false;
  const pump = async (): Promise<void> => {
    while (queue.length > 0) {
      const group = firstGroup(queue);
      queue = queue.slice(group.length);
      await flush(sender, group);
    }
    flushing = false;
  };
  const push = (records: readonly OutgoingRecord[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const deadline = performance.now() + deadlineMs;
      queue.push({ records, bytes: sumOf(records), deadline, resolve, reject });
      if (flushing) return;
      flushing = true;
      // The rest of this tick joins the first produce.
      setImmediate(() => void pump());
    });
  return {
    send: async (records) => {
      if (records.length === 0) return;
      if (waiting + records.length > waitingMax) {
        throw new OperationalFailure('OVERLOADED', `${waiting} records wait for Kafka`, { retryable: true });
      }
      waiting += records.length;
      try {
        await push(records);
      } finally {
        waiting -= records.length;
      }
    },
    waiting: () => waiting,
    close: () => sender.close(),
  };
}

/** Whole calls that fit one produce together; a call that is larger than that goes alone. */
function firstGroup(queue: readonly Call[]): readonly Call[] {
  let [bytes, records, calls] = [0, 0, 0];
  for (const call of queue) {
    bytes += call.bytes;
    records += call.records.length;
    if (calls > 0 && (bytes > produceBytesMax || records > produceRecordsMax)) break;
    calls += 1;
  }
  return queue.slice(0, calls);
}

async function flush(sender: Sender, group: readonly Call[]): Promise<void> {
  const now = performance.now();
  const inTime = group.filter(({ deadline }) => deadline > now);
  for (const late of group) if (!inTime.includes(late)) late.reject(tooLate('a produce before it took all the time'));
  const [first] = inTime;
  if (first === undefined) return;
  try {
    const records = inTime.flatMap((call) => call.records);
    const bytes = inTime.reduce((sum, call) => sum + call.bytes, 0);
    for (const part of parts(records, bytes)) await sender.produce(part, first.deadline - performance.now());
    for (const { resolve } of inTime) resolve();
  } catch (error) {
    const failure = kafkaFailure(error, 'a produce failed');
    const isOfOne = failure.code === 'EVENT_TOO_LARGE' && inTime.length > 1;
    // What is too large of one call is not the others' fault.
    if (isOfOne) for (const call of inTime) await flush(sender, [call]);
    else for (const { reject } of inTime) reject(failure);
  }
}

function tooLate(why: string): OperationalFailure {
  return new OperationalFailure('KAFKA_UNAVAILABLE', why, { retryable: true });
}

/** In order, each small enough for one produce. Mostly it is one. */
function* parts(records: readonly OutgoingRecord[], allBytes: number): Iterable<readonly OutgoingRecord[]> {
  if (allBytes <= produceBytesMax && records.length <= produceRecordsMax) {
    yield records;
    return;
  }
  let part: OutgoingRecord[] = [];
  let bytes = 0;
  for (const record of records) {
    const size = bytesOf(record);
    if (part.length > 0 && (bytes + size > produceBytesMax || part.length >= produceRecordsMax)) {
      yield part;
      part = [];
      bytes = 0;
    }
    part.push(record);
    bytes += size;
  }
  if (part.length > 0) yield part;
}

type Sender = {
  produce(records: readonly OutgoingRecord[], leftMs: number): Promise<void>;
  close(): Promise<void>;
};

type Connected = { readonly client: KafkaClient; readonly producer: Producer; readonly connecting: Promise<void> };

function openSender({ address, clientId, log }: ProducerOptions): Sender {
  let connected: Connected | null = null;
  const connect = (): Connected => {
    const client = openKafkaClient({ address, clientId, log, requestTimeoutMs });
    const producer = client.kafka.producer({
      createPartitioner: javaPartitioner,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
    });
    return { client, producer, connecting: producer.connect() };
  };
  const giveUp = (): void => {
    const given = connected;
    connected = null;
    void given?.client.close(() => given.producer.disconnect());
    given?.client.abandon();
  };
  return {
    produce: async (records, leftMs) => {
      connected ??= connect();
      const { producer, connecting } = connected;
      const sending = connecting.then(() =>
        producer.sendBatch({ acks: -1, timeout: replicationTimeoutMs, topicMessages: byTopic(records) }),
      );
      try {
        if ((await within(Math.max(leftMs, 0), sending)) === null) throw tooLate('a produce was not answered in time');
      } catch (error) {
        giveUp();
        throw error;
      }
    },
    close: async () => {
      const last = connected;
      connected = null;
      await last?.client.close(() => last.producer.disconnect());
    },
  };
}

function byTopic(records: readonly OutgoingRecord[]): TopicMessages[] {
  return [...Map.groupBy(records, ({ topic }) => topic)].map(([topic, group]) => ({
    topic,
    messages: group.map(outgoing),
  }));
}

function sumOf(records: readonly OutgoingRecord[]): number {
  return records.reduce((sum, record) => sum + bytesOf(record), 0);
}
