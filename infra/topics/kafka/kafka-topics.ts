import { setTimeout as sleep } from 'node:timers/promises';
import type { Admin, ConfigResourceTypes } from 'kafkajs';
import type { Logger } from 'pino';
import { OperationalFailure } from '../../failures.ts';
import { openKafkaClient } from '../../kafka/client.ts';
import { kafkaFailure } from '../../kafka/failure.ts';
import type { KafkaAddress } from '../../kafka/kafka-url.ts';
import { within } from '../../within.ts';
import type { EndOffsets, FoundTopic, Topics } from '../port.ts';

export type KafkaTopicsOptions = {
  readonly address: KafkaAddress;
  readonly clientId: string;
  readonly log: Logger;
};

const requestTimeoutMs = 5_000;
/** For all that one question takes, retries included. */
const deadlineMs = 20_000;

export function openKafkaTopics(options: KafkaTopicsOptions): Topics {
  const ask = openAsking(options);
  return {
    brokers: () => ask('brokers', async (admin) => (await admin.describeCluster()).brokers.length),
    find: (names, config) => ask('topics', (admin) => find(admin, names, config)),
    create: ({ name, partitions, replication, config }) =>
      ask(`creating ${name}`, async (admin) => {
        const configEntries = Object.entries(config).map(([key, value]) => ({ name: key, value }));
        const topic = { topic: name, numPartitions: partitions, replicationFactor: replication, configEntries };
        await admin.createTopics({ topics: [topic], waitForLeaders: false });
        await untilThere(admin, name);
      }),
    grow: (name, partitions) =>
      ask(`growing ${name}`, async (admin) => {
        await admin.createPartitions({ topicPartitions: [{ topic: name, count: partitions }] });
      }),
    configure: (name, config) => ask(`configuring ${name}`, (admin) => configure(admin, name, config)),
    endOffsets: (names) =>
      ask('end offsets', async (admin) => {
        const existing = await existingOf(admin, names);
        return new Map(await Promise.all(existing.map(async (name) => [name, await endsOf(admin, name)] as const)));
      }),
  };
}

type Ask = <Answer>(what: string, question: (admin: Admin) => Promise<Answer>) => Promise<Answer>;

/**
 * A client for each question: they are rare, and the driver's remembers topics that are gone, and then fails every later
 * question with them.
 */
function openAsking(options: KafkaTopicsOptions): Ask {
  return async (what, question) => {
    const client = openKafkaClient({ ...options, requestTimeoutMs });
    const admin = client.kafka.admin();
    try {
      const asked = admin.connect().then(async () => ({ is: await question(admin) }));
      const answer = await within(deadlineMs, asked);
      if (answer !== null) return answer.is;
    } catch (error) {
      throw kafkaFailure(error, what);
    } finally {
      await client.close(() => admin.disconnect());
    }
    throw new OperationalFailure('KAFKA_UNAVAILABLE', `${what}: no answer`, { retryable: true });
  };
}

const lookEveryMs = 100;

/**
 * Made by the controller, a topic is known to the brokers a moment later; the driver's own waiting takes that moment for an
 * error. The deadline of the question ends it.
 */
async function untilThere(admin: Admin, name: string): Promise<void> {
  while (!(await admin.listTopics()).includes(name)) await sleep(lookEveryMs);
}

async function existingOf(admin: Admin, names: readonly string[]): Promise<readonly string[]> {
  const all = new Set(await admin.listTopics());
  return names.filter((name) => all.has(name));
}

async function find(admin: Admin, names: readonly string[], config: readonly string[]): Promise<readonly FoundTopic[]> {
  const existing = await existingOf(admin, names);
  if (existing.length === 0) return [];
  const { topics } = await admin.fetchTopicMetadata({ topics: [...existing] });
  const settings = await settingsOf(admin, existing, config);
  return Promise.all(
    topics.map(async ({ name, partitions }) => ({
      name,
      partitions: partitions.length,
      replication: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      config: settings.get(name) ?? {},
      isEmpty: [...(await endsOf(admin, name)).values()].every((end) => end === 0),
    })),
  );
}

type Settings = Readonly<Record<string, string>>;

async function settingsOf(
  admin: Admin,
  names: readonly string[],
  config: readonly string[],
): Promise<ReadonlyMap<string, Settings>> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: names.map((name) => ({ type: topicResource, name, configNames: [...config] })),
  });
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue])),
    ]),
  );
}

/** The driver knows only the request that sets all at once: what a topic has of its own is said again with it. */
async function configure(admin: Admin, name: string, config: Settings): Promise<void> {
  const { resources } = await admin.describeConfigs({
    includeSynonyms: false,
    resources: [{ type: topicResource, name }],
  });
  const own = (resources[0]?.configEntries ?? []).filter((entry) => (entry.configSource as number) === topicsOwn);
  const kept = Object.fromEntries(own.map(({ configName, configValue }) => [configName, configValue]));
  const configEntries = Object.entries({ ...kept, ...config }).map(([key, value]) => ({ name: key, value }));
  const resource = { type: topicResource, name, configEntries };
  await admin.alterConfigs({ validateOnly: false, resources: [resource] });
}

/** Kafka's protocol: TOPIC. The driver's own enum cannot be imported by name from its CommonJS. */
const topicResource = 2 as never as ConfigResourceTypes;
/** DYNAMIC_TOPIC_CONFIG of Kafka's protocol. */
const topicsOwn: number = 1;

async function endsOf(admin: Admin, name: string): Promise<EndOffsets> {
  const offsets = await admin.fetchTopicOffsets(name);
  return new Map(offsets.map(({ partition, high }) => [partition, Number(high)]));
}
