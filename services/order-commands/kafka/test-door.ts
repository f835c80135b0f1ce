import { Kafka, logLevel, type ITopicConfig } from 'kafkajs';
import { pino } from 'pino';
import { freshTopicPrefix, kafkaBrokers } from '../../../test/kafka.ts';
import { openMemoryEventStore } from '../../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { OperationalFailure } from '../../../infra/failures.ts';
import { consumeKafka } from '../../../infra/kafka/consumer.ts';
import { parseKafkaUrl } from '../../../infra/kafka/kafka-url.ts';
import type { IncomingRecord, OutgoingRecord } from '../../../infra/kafka/port.ts';
import { openKafkaProducer } from '../../../infra/kafka/producer.ts';
import { openMetrics } from '../../../infra/metrics/open.ts';
import { openSchemas } from '../../../infra/schema-registry/open.ts';
import { openMemoryPaymentTokens } from '../../../infra/payment-tokens/memory/memory-payment-tokens.ts';
import { openMemorySubjectKeys } from '../../../infra/subject-keys/memory/memory-subject-keys.ts';
import type { CommandMessage, CommandOutcome } from '../../../schemas/generated/messages.ts';
import { orderIdOf, orderStream, type CommandId, type OrderId, type TenantId } from '../../../schemas/ids.ts';
import { encodeCommandRecord } from '../../../schemas/wire/command-record.ts';
import { decodeOutcomeRecord } from '../../../schemas/wire/outcome-record.ts';
import { headerText } from '../../../schemas/wire/record.ts';
import type { WireSchemas } from '../../../schemas/wire/wire-schemas.ts';
import { openOrderCommands, type OrderCommands } from '../open.ts';
import type { IntakeNames } from './intake.ts';
import { openKafkaDoor, type KafkaDoorOptions } from './open.ts';

export const tenantId = 'default' as TenantId;
const log = pino({ level: 'silent' });
const waitMs = 20_000;
/** More than the door takes, so that a record of more than that can come. */
const recordBytesMax = 4 * 1_024 * 1_024;

/** A shop with orders in memory and topics of its own on the run's broker. */
export type TestShop = {
  readonly names: IntakeNames;
  readonly store: EventStore;
  readonly commands: OrderCommands;
  readonly metrics: ReturnType<typeof openMetrics>;
  readonly eventsOf: (orderId: OrderId) => Promise<readonly string[]>;
  readonly setStoreDown: (isDown: boolean) => void;
  readonly send: (...records: readonly Partial<OutgoingRecord>[]) => Promise<void>;
  /** Runs a door until the shop is closed, or it is left by itself. */
  readonly openDoor: (options?: Partial<KafkaDoorOptions>) => Promise<{ readonly leave: () => Promise<void> }>;
  /** As they were read: a produce that a broker took in part is sent again, so there may be more than one of each. */
  readonly outcomes: () => readonly TimedOutcome[];
  /** One of each record. */
  readonly deadLetters: () => readonly IncomingRecord[];
  /** The first outcome of this command. @throws Error where another one has another content */
  readonly outcomeOf: (commandId: string) => Promise<TimedOutcome>;
  /** Until so many outcomes of this command were read. */
  readonly outcomesOf: (commandId: string, count: number) => Promise<readonly TimedOutcome[]>;
  readonly committed: () => Promise<number>;
};

export type TimedOutcome = CommandOutcome & { readonly bytes: string; readonly readAtMs: number };

export type ShopOptions = { readonly partitions?: number; readonly deadLetterBytesMax?: number };

export async function openShop(stack: AsyncDisposableStack, options: ShopOptions = {}): Promise<TestShop> {
  const address = parseKafkaUrl(`kafka://${kafkaBrokers()}`);
  const prefix = freshTopicPrefix();
  const names = { commands: `${prefix}commands`, outcomes: `${prefix}outcomes`, group: `${prefix}group` };
  const deadTopic = `${names.commands}.dead-letter`;
  const admin = new Kafka({ brokers: [...address.brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  const { partitions = 3, deadLetterBytesMax = recordBytesMax } = options;
  const topic = (name: string, bytesMax: number): ITopicConfig => ({
    topic: name,
    numPartitions: partitions,
    configEntries: [
      // What a publisher compressed, the broker takes apart, within its own bound of a record: docs/decisions/0019.
      { name: 'compression.type', value: 'uncompressed' },
      { name: 'max.message.bytes', value: String(bytesMax) },
    ],
  });
  await admin.createTopics({
    topics: [
      topic(names.commands, recordBytesMax),
      topic(names.outcomes, recordBytesMax),
      topic(deadTopic, deadLetterBytesMax),
    ],
    waitForLeaders: true,
  });
  const producer = openKafkaProducer({ address, clientId: 'test', log });
  stack.defer(() => producer.close());

  const [outcomes, deadLetters]: [TimedOutcome[], IncomingRecord[]] = [[], []];
  const reading = new AbortController();
  let schemas = openSchemas(null);
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
    read(names.outcomes, async (record) => outcomes.push(toOutcome(record, await schemas.load([record.value])))),
    read(deadTopic, (record) => deadLetters.push(record)),
  ];
  stack.defer(async () => {
    reading.abort();
    await Promise.all(readers);
  });

  const { store, setDown } = breakable(openMemoryEventStore());
  const commands = openOrderCommands({
    ...{ store, subjectKeys: openMemorySubjectKeys(), paymentTokens: openMemoryPaymentTokens() },
  });
  const metrics = openMetrics();
  const outcomesOf = async (commandId: string, count: number): Promise<readonly TimedOutcome[]> => {
    const found = (): readonly TimedOutcome[] => outcomes.filter((each) => each.commandId === commandId);
    await untilTrue(() => found().length >= count, `${count} outcomes of ${commandId}`);
    return found();
  };
  return {
    names,
    store,
    commands,
    metrics,
    eventsOf: async (orderId) => (await store.readStream({ stream: orderStream(orderId) })).map(({ type }) => type),
    setStoreDown: setDown,
    send: (...records) =>
      producer.send(records.map((each) => ({ key: null, value: null, ...each, topic: names.commands }))),
    openDoor: async (options = {}) => {
      await using opening = new AsyncDisposableStack();
      schemas = options.schemas ?? schemas;
      const shared = { url: `kafka://${kafkaBrokers()}`, commands, schemas, metrics, log, names };
      const { run } = await openKafkaDoor({ ...shared, ...options }, opening);
      const control = new AbortController();
      const running = run?.(control.signal);
      opening.defer(async () => {
        control.abort();
        await running;
      });
      const opened = stack.use(opening.move());
      return { leave: () => opened.disposeAsync() };
    },
    outcomes: () => outcomes,
    deadLetters: () => [...new Map(deadLetters.map((each) => [placeOf(each), each])).values()],
    outcomeOf: async (commandId) => {
      const [first, ...others] = await outcomesOf(commandId, 1);
      if (first === undefined) throw new Error('there is none');
      if (others.some(({ bytes }) => bytes !== first.bytes)) throw new Error(`${commandId} has two contents`);
      return first;
    },
    outcomesOf,
    committed: async () => {
      const topics = await admin.fetchOffsets({ groupId: names.group, topics: [names.commands] });
      return (topics[0]?.partitions ?? []).reduce((sum, { offset }) => sum + Math.max(0, Number(offset)), 0);
    },
  };
}

export const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug', quantity: 1, unitPrice: 500 }],
  payments: [{ method: 'bank_slip' }],
};

export function placement(commandId: string, payload: object = order): OutgoingRecord {
  return commandRecord(commandId, { type: 'PlaceOrder', payload } as CommandMessage);
}

/** Of the order that `placedBy` placed; its own where it is a placement. */
export function commandRecord(commandId: string, message: CommandMessage, placedBy = commandId): OutgoingRecord {
  const envelope = { tenantId, commandId: commandId as CommandId, orderId: orderOf(placedBy) };
  return encodeCommandRecord(message, envelope);
}

export function orderOf(commandId: string): OrderId {
  return orderIdOf(tenantId, commandId as CommandId);
}

/** The commands that have an outcome, in the order of their first ones. */
export function answered(shop: TestShop): readonly string[] {
  return [...new Set(shop.outcomes().map(({ commandId }) => commandId))];
}

export async function untilTrue(isTrue: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + waitMs;
  while (!(await isTrue())) {
    if (performance.now() > deadline) throw new Error(`not within ${waitMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function toOutcome(record: IncomingRecord, schemas: WireSchemas): TimedOutcome {
  const read = decodeOutcomeRecord(record, schemas);
  if (read.kind === 'unreadable') throw new Error(read.code);
  const { outcome } = read;
  if (record.key?.toString() !== outcome.orderId) throw new Error('the key is not the order');
  if (headerText(record, 'command-id') !== outcome.commandId) throw new Error('the header is not the command');
  return { ...outcome, bytes: record.value?.toString('hex') ?? '', readAtMs: performance.now() };
}

function placeOf(letter: IncomingRecord): string {
  return ['dead-letter-partition', 'dead-letter-offset'].map((name) => headerText(letter, name)).join('/');
}

function breakable(memory: EventStore): { readonly store: EventStore; readonly setDown: (isDown: boolean) => void } {
  let isDown = false;
  const guarded =
    <Args extends readonly unknown[], Result>(method: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      isDown
        ? Promise.reject(new OperationalFailure('STORE_UNAVAILABLE', 'a test took it away', { retryable: true }))
        : method(...args);
  const store = {
    ...memory,
    append: guarded(memory.append),
    recordAnswer: guarded(memory.recordAnswer),
    readStream: guarded(memory.readStream),
    findCommand: guarded(memory.findCommand),
  };
  return { store, setDown: (down) => void (isDown = down) };
}
