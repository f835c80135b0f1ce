import { Kafka, logLevel, Partitioners, type Message, type TopicMessages } from 'kafkajs';

import { openEventStore } from '../../../infra/event-store/open.ts';
import { parseKafkaUrl } from '../../../infra/kafka/kafka-url.ts';
import { quietRequestQueue } from '../../../infra/kafka/quiet-request-queue.ts';
import { bytesOf } from '../../../infra/kafka/records.ts';
import { encodeEventRecord, type EventRecord } from '../../../schemas/wire/event-record.ts';
import { serve } from '../child-process.ts';
import { cpuMicros } from '../child-cpu.ts';
import { batchMax, type LegAnswer, type PublisherPlace } from './legs.ts';

export type BareRequest =
  | ({ readonly kind: 'open' } & PublisherPlace)
  /** Makes the records of all that the log holds now. */
  | { readonly kind: 'load' }
  | { readonly kind: 'push' };
export type BareAnswer = LegAnswer & { readonly bytes: number };

// Its idle timer would take CPU from the broker that it waits for.
quietRequestQueue();

type Opened = { readonly place: PublisherPlace; readonly send: (batch: TopicMessages[]) => Promise<unknown> };

let opened: Opened | undefined;
let close: () => Promise<void> = () => Promise.resolve();
let batches: readonly TopicMessages[][] = [];
let [records, bytes] = [0, 0];

/** The driver with nothing of ours around it, but for the settings that are promises: acks of all, one in flight. */
async function open(place: PublisherPlace): Promise<void> {
  const brokers = [...parseKafkaUrl(place.kafkaUrl).brokers];
  const producer = new Kafka({ clientId: 'bare', brokers, logLevel: logLevel.ERROR }).producer({
    createPartitioner: Partitioners.DefaultPartitioner,
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
  });
  await producer.connect();
  opened = { place, send: (topicMessages) => producer.sendBatch({ acks: -1, topicMessages }) };
  close = () => producer.disconnect();
}

async function load({ place: { storeUrl, topicPrefix } }: Opened): Promise<void> {
  const store = await openEventStore(storeUrl);
  const made: EventRecord[] = [];
  for (let after = null; ;) {
    const page = await store.readLog({ after, categories: ['order', 'stock'], limit: 5_000 });
    made.push(...page.events.flatMap((event) => encodeEventRecord(event, store.epoch) ?? []));
    if (page.atEnd) break;
    after = page.checkpoint;
  }
  await store.close();
  records = made.length;
  bytes = made.reduce((sum, record) => sum + bytesOf(record), 0);
  batches = Array.from({ length: Math.ceil(records / batchMax) }, (_, n) =>
    messagesOf(made.slice(n * batchMax, (n + 1) * batchMax), topicPrefix),
  );
}

function messagesOf(part: readonly EventRecord[], topicPrefix: string): TopicMessages[] {
  return [...Map.groupBy(part, ({ topic }) => topic)].map(([topic, group]) => ({
    topic: `${topicPrefix}${topic}`,
    messages: group.map(({ key, value, headers }): Message => ({ key, value, headers: { ...headers } })),
  }));
}

async function push({ send }: Opened): Promise<LegAnswer> {
  const [startedAt, cpuBefore] = [performance.now(), cpuMicros()];
  for (const batch of batches) await send(batch);
  return { records, ms: performance.now() - startedAt, cpuMicros: cpuMicros() - cpuBefore };
}

serve(
  async (request: BareRequest): Promise<BareAnswer> => {
    const none: LegAnswer = { records, ms: 0, cpuMicros: 0 };
    if (request.kind === 'open') {
      await open(request);
      return { ...none, bytes };
    }
    if (opened === undefined) throw new Error('not opened yet');
    if (request.kind === 'push') return { ...(await push(opened)), bytes };
    await load(opened);
    return { ...none, records, bytes };
  },
  () => close(),
);
