import { Kafka, logLevel, type Admin } from 'kafkajs';
import { pino } from 'pino';
import { consumeKafka } from '../../../infra/kafka/consumer.ts';
import { parseKafkaUrl, type KafkaAddress } from '../../../infra/kafka/kafka-url.ts';
import type { IncomingRecord } from '../../../infra/kafka/port.ts';
import type { RecordSchemas } from '../../../infra/schema-registry/port.ts';
import type { CommandOutcome } from '../../../schemas/generated/messages.ts';
import { decodeOutcomeRecord } from '../../../schemas/wire/outcome-record.ts';
import { headerText } from '../../../schemas/wire/record.ts';
import type { WireSchemas } from '../../../schemas/wire/wire-schemas.ts';
import { freshTopicPrefix, kafkaBrokers } from '../../../test/kafka.ts';
import type { IntakeNames } from './intake.ts';

const log = pino({ level: 'silent' });
/** More than the door takes, so that a record of more than that can come. */
const recordBytesMax = 4 * 1_024 * 1_024;

export type ShopOptions = { readonly partitions?: number; readonly deadLetterBytesMax?: number };

export type TimedOutcome = CommandOutcome & { readonly bytes: string; readonly readAtMs: number };

/** Topics of a test's own on the run's broker. */
export type TestTopics = {
  readonly address: KafkaAddress;
  readonly names: IntakeNames;
  /** Sum over the partitions. */
  readonly committed: () => Promise<number>;
  /** What is read of outcomes and dead letters, in their order. */
  readonly outcomes: readonly TimedOutcome[];
  readonly deadLetters: readonly IncomingRecord[];
};

export async function openTopics(
  stack: AsyncDisposableStack,
  schemas: () => RecordSchemas,
  options: ShopOptions = {},
): Promise<TestTopics> {
  const address = parseKafkaUrl(`kafka://${kafkaBrokers()}`);
  const prefix = freshTopicPrefix();
  const names = { commands: `${prefix}commands`, outcomes: `${prefix}outcomes`, group: `${prefix}group` };
  const admin = new Kafka({ brokers: [...address.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  await createTopics(admin, names, options);
  const [outcomes, deadLetters]: [TimedOutcome[], IncomingRecord[]] = [[], []];
  const reading = new AbortController();
  const read = (topic: string, take: (record: IncomingRecord) => unknown): Promise<void> =>
    consumeKafka(
      { address, clientId: 'test', log },
      {
        ...{ group: `${prefix}${topic}`, topics: [topic], batchMax: 1_000, signal: reading.signal },
        handle: async ({ records }) => {
          for (const record of records) await take(record);
        },
      },
    );
  const readers = [
    read(names.outcomes, async (record) => outcomes.push(toOutcome(record, await schemas().load([record.value])))),
    read(`${names.commands}.dead-letter`, (record) => deadLetters.push(record)),
  ];
  stack.defer(async () => {
    reading.abort();
    await Promise.all(readers);
  });
  const committed = async (): Promise<number> => {
    const topics = await admin.fetchOffsets({ groupId: names.group, topics: [names.commands] });
    return (topics[0]?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
  };
  return { address, names, committed, outcomes, deadLetters };
}

async function createTopics(admin: Admin, { commands, outcomes }: IntakeNames, options: ShopOptions): Promise<void> {
  const { partitions: numPartitions = 3, deadLetterBytesMax = recordBytesMax } = options;
  const topic = (name: string, bytesMax: number) => ({
    topic: name,
    numPartitions,
    configEntries: [
      // What a publisher compressed, the broker takes apart, within its own bound of a record: docs/decisions/0019.
      { name: 'compression.type', value: 'uncompressed' },
      { name: 'max.message.bytes', value: String(bytesMax) },
    ],
  });
  const topics = [
    topic(commands, recordBytesMax),
    topic(outcomes, recordBytesMax),
    topic(`${commands}.dead-letter`, deadLetterBytesMax),
  ];
  await admin.createTopics({ topics, waitForLeaders: true });
}

function toOutcome(record: IncomingRecord, schemas: WireSchemas): TimedOutcome {
  const read = decodeOutcomeRecord(record, schemas);
  if (read.kind === 'unreadable') throw new Error(read.code);
  const { outcome } = read;
  if (record.key?.toString() !== outcome.orderId) throw new Error('the key is not the order');
  if (headerText(record, 'command-id') !== outcome.commandId) throw new Error('the header is not the command');
  return { ...outcome, bytes: record.value?.toString('hex') ?? '', readAtMs: performance.now() };
}
