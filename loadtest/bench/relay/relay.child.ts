import { openEventFeed } from '../../../infra/event-feed/open.ts';
import { relayConsumer } from '../../../infra/event-feed/port.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import { parseKafkaUrl } from '../../../infra/kafka/kafka-url.ts';
import { openKafkaProducer } from '../../../infra/kafka/producer.ts';
import { openLog } from '../../../infra/logging/open.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { openTopics } from '../../../infra/topics/open.ts';
import { noRegistry } from '../../../schemas/wire/wire-schemas.ts';
import { runRelay, type RunRelayOptions } from '../../../services/event-relay/relay.ts';
import { serve } from '../child-process.ts';
import { cpuMicros } from '../child-cpu.ts';
import { batchMax, type LegAnswer, type PublisherPlace } from './legs.ts';

export type RelayRequest =
  | ({ readonly kind: 'open' } & PublisherPlace)
  /** Publishes the log from its beginning, until so many records are there. */
  | { readonly kind: 'publish'; readonly records: number }
  /** Publishes from now on until the process ends. */
  | { readonly kind: 'follow' };

const publishMaxMs = 110_000;
const partition = 'log';

type Opened = {
  readonly options: Omit<RunRelayOptions, 'signal' | 'observe'>;
  readonly close: () => Promise<void>;
};

let opened: Opened | undefined;
const stop = new AbortController();
let following: Promise<void> = Promise.resolve();

/** The relay with the clients and settings of its role, without what stands around it: lease, metrics, probes. */
async function open({ storeUrl, kafkaUrl, topicPrefix }: PublisherPlace): Promise<Opened> {
  const log = openLog({ role: 'bench', level: 'warn' });
  const store = await openEventStore(storeUrl);
  const readStore = openReadStore(storeUrl);
  await readStore.prepare([]);
  const producer = openKafkaProducer({ address: parseKafkaUrl(kafkaUrl), clientId: 'bench relay', log });
  const topics = openTopics(kafkaUrl, log);
  const schemas = () => Promise.resolve(noRegistry);
  const feed = openEventFeed(store);
  return {
    options: { feed, store, readStore, producer, topics, schemas, batchMax, topicPrefix },
    close: async () => {
      for (const each of [producer, store, readStore]) await each.close();
    },
  };
}

/**
 * The clock starts when the relay knows its place: a start asks Kafka where its topics end, once, as the limit connected
 * before. A failure fails the leg: one that began again has published more than it was asked to.
 */
async function publish({ options }: Opened, wanted: number): Promise<LegAnswer> {
  const from = await options.readStore.loadCheckpoint(relayConsumer, partition);
  if (from !== null) await options.readStore.forgetCheckpoint({ consumer: relayConsumer, partition, from });
  const over = new AbortController();
  const signal = AbortSignal.any([over.signal, AbortSignal.timeout(publishMaxMs)]);
  let [records, startedAt, endedAt, cpuBefore] = [0, 0, 0, 0];
  await runRelay({
    ...options,
    signal,
    schemas: () => {
      [startedAt, cpuBefore] = [performance.now(), cpuMicros()];
      return options.schemas();
    },
    observe: {
      onBatch: (counts) => {
        for (const count of counts.values()) records += count;
        endedAt = performance.now();
        if (records >= wanted) over.abort();
      },
      onFailure: ({ failure }) => {
        console.error(failure);
        over.abort();
      },
    },
  });
  if (records !== wanted) throw new Error(`the relay published ${records} records, not ${wanted}`);
  return { records, ms: endedAt - startedAt, cpuMicros: cpuMicros() - cpuBefore };
}

serve(
  async (request: RelayRequest): Promise<LegAnswer> => {
    if (request.kind === 'open') opened = await open(request);
    if (opened === undefined) throw new Error('not opened yet');
    if (request.kind === 'publish') return publish(opened, request.records);
    if (request.kind === 'follow') following = runRelay({ ...opened.options, signal: stop.signal });
    return { records: 0, ms: 0, cpuMicros: cpuMicros() };
  },
  async () => {
    stop.abort();
    await following;
    await opened?.close();
  },
);
