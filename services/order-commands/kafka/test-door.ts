import { pino } from 'pino';
import { openMemoryEventStore } from '../../../infra/event-store/memory/memory-event-store.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { OperationalFailure } from '../../../infra/failures.ts';
import type { IncomingRecord, OutgoingRecord } from '../../../infra/kafka/port.ts';
import { openKafkaProducer } from '../../../infra/kafka/producer.ts';
import { openMetrics } from '../../../infra/metrics/open.ts';
import { openSchemas } from '../../../infra/schema-registry/open.ts';
import { openMemoryPaymentTokens } from '../../../infra/payment-tokens/memory/memory-payment-tokens.ts';
import { openMemorySubjectKeys } from '../../../infra/subject-keys/memory/memory-subject-keys.ts';
import type { CommandMessage } from '../../../schemas/generated/messages.ts';
import { orderIdOf, orderStream, type CommandId, type OrderId, type TenantId } from '../../../schemas/ids.ts';
import { encodeCommandRecord } from '../../../schemas/wire/command-record.ts';
import { headerText } from '../../../schemas/wire/record.ts';
import { openOrderCommands, type OrderCommands } from '../open.ts';
import type { IntakeNames } from './intake.ts';
import { openKafkaDoor, type KafkaDoorOptions } from './open.ts';
import { openTopics, type ShopOptions, type TimedOutcome } from './test-topics.ts';

export const tenantId = 'default' as TenantId;
const log = pino({ level: 'silent' });
const waitMs = 20_000;

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
  readonly openDoor: (options?: Partial<KafkaDoorOptions>) => Promise<OpenDoor>;
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

export async function openShop(stack: AsyncDisposableStack, options: ShopOptions = {}): Promise<TestShop> {
  let schemas = openSchemas(null);
  const topics = await openTopics(stack, () => schemas, options);
  const { names, address, outcomes, deadLetters } = topics;
  const producer = openKafkaProducer({ address, clientId: 'test', log });
  stack.defer(() => producer.close());
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
    ...{ names, store, commands, metrics, outcomesOf, setStoreDown: setDown, committed: topics.committed },
    eventsOf: async (orderId) => (await store.readStream({ stream: orderStream(orderId) })).map(({ type }) => type),
    send: (...records) =>
      producer.send(records.map((each) => ({ key: null, value: null, ...each, topic: names.commands }))),
    openDoor: (changes = {}) => {
      schemas = changes.schemas ?? schemas;
      const url = `kafka://${address.brokers.join(',')}`;
      return openDoor(stack, { url, commands, schemas, metrics, log, names, ...changes });
    },
    outcomes: () => outcomes,
    deadLetters: () => [...new Map(deadLetters.map((each) => [placeOf(each), each])).values()],
    outcomeOf: async (commandId) => {
      const [first, ...others] = await outcomesOf(commandId, 1);
      if (first === undefined) throw new Error('there is none');
      if (others.some(({ bytes }) => bytes !== first.bytes)) throw new Error(`${commandId} has two contents`);
      return first;
    },
  };
}

type OpenDoor = { readonly leave: () => Promise<void> };

async function openDoor(stack: AsyncDisposableStack, options: KafkaDoorOptions): Promise<OpenDoor> {
  await using opening = new AsyncDisposableStack();
  const { run } = await openKafkaDoor(options, opening);
  const control = new AbortController();
  const running = run?.(control.signal);
  opening.defer(async () => {
    control.abort();
    await running;
  });
  const opened = stack.use(opening.move());
  return { leave: () => opened.disposeAsync() };
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

function placeOf(letter: IncomingRecord): string {
  return ['dead-letter-partition', 'dead-letter-offset'].map((name) => headerText(letter, name)).join('/');
}

function breakable(memory: EventStore): { readonly store: EventStore; readonly setDown: (isDown: boolean) => void } {
  let isDown = false;
  const orDown = <Result>(ask: () => Promise<Result>): Promise<Result> =>
    isDown ? Promise.reject(new OperationalFailure('STORE_UNAVAILABLE', 'it is down', { retryable: true })) : ask();
  const store: EventStore = {
    ...memory,
    append: (append) => orDown(() => memory.append(append)),
    recordAnswer: (receipt, expected) => orDown(() => memory.recordAnswer(receipt, expected)),
    readStream: (slice) => orDown(() => memory.readStream(slice)),
    findCommand: (tenant, id) => orDown(() => memory.findCommand(tenant, id)),
  };
  return { store, setDown: (down) => void (isDown = down) };
}
