import { openTransactor, type TransactAnswer } from '../../infra/event-store/transact.ts';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { ShipmentEntry } from '../../infra/logistics/carrier.ts';
import { memoryLogistics, type MemoryLogisticsOptions } from '../../infra/logistics/memory.ts';
import type { PaymentEntry } from '../../infra/payments/gateway.ts';
import { memoryPayments, type MemoryPaymentsOptions } from '../../infra/payments/memory.ts';
import { openMemoryPaymentTokens } from '../../infra/payment-tokens/memory/memory-payment-tokens.ts';
import { memoryRisk, type MemoryRiskOptions } from '../../infra/risk/memory.ts';
import { openMemorySubjectKeys } from '../../infra/subject-keys/memory/memory-subject-keys.ts';
import type { OrderInput } from '../../schemas/commands.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import {
  fulfillmentStream,
  orderStream,
  stockStream,
  type CommandId,
  type OrderId,
  type StreamName,
  type TenantId,
} from '../../schemas/ids.ts';
import { stockDecider } from '../inventory/stock-decider.ts';
import { holdOf, type StockState } from '../inventory/stock.ts';
import { openOrderCommands, type OrderCommands } from '../order-commands/open.ts';
import type { SagaKey } from './call-step.ts';
import { openDriver, type Driver } from './driver.ts';
import { defaultLimits, type FulfillmentLimits } from './limits.ts';
import type { Observation } from './observe.ts';
import { commandOf } from './hear-event.ts';
import type { Inventory, World } from './ports.ts';
import { sagaDecider } from './saga.ts';
import { openSteps } from './steps/steps.ts';
import { tellSaga } from './tell-saga.ts';

export const tenantId = 'default' as TenantId;

export const cupOrder: OrderInput = {
  customerId: 'c1',
  currency: 'EUR',
  lines: [
    { sku: 'saucer', quantity: 1, unitPrice: 300 },
    { sku: 'cup', quantity: 2, unitPrice: 500 },
    { sku: 'cup', quantity: 1, unitPrice: 500 },
  ],
  payments: [
    { method: 'card', amount: 1000, token: 'tok_ok' },
    { method: 'voucher', amount: 800 },
  ],
};

export type WorldOptions = {
  readonly payments?: MemoryPaymentsOptions;
  readonly logistics?: MemoryLogisticsOptions;
  readonly risk?: MemoryRiskOptions;
};

/** Everything that outlives a process: the store, the gateways with their ledgers, the real order and the real stock. */
export type TestWorld = World & {
  readonly store: ReturnType<typeof openMemoryEventStore>;
  readonly orderCommands: OrderCommands;
  readonly paymentLedger: readonly PaymentEntry[];
  readonly shipmentLedger: readonly ShipmentEntry[];
  readonly receive: (sku: string, quantity: number) => Promise<void>;
  readonly stockOf: (sku: string) => Promise<{ readonly onHand: number; readonly reserved: number }>;
  readonly place: (order?: OrderInput) => Promise<SagaKey>;
  readonly typesOf: (stream: StreamName) => Promise<readonly string[]>;
};

/** A transactor's default cache costs more to make than a test's whole order. */
const streamsMax = 100;

let commandIds = 0;
function nextCommandId(): CommandId {
  commandIds += 1;
  return `test-${commandIds}` as CommandId;
}

export function openTestWorld(options: WorldOptions = {}): TestWorld {
  const store = openMemoryEventStore();
  const tokens = openMemoryPaymentTokens();
  const subjectKeys = openMemorySubjectKeys();
  const orderCommands = openOrderCommands({ store, subjectKeys, paymentTokens: tokens });
  const paymentLedger: PaymentEntry[] = [];
  const shipmentLedger: ShipmentEntry[] = [];
  const stock = openTestStock(store);
  return {
    store,
    orderCommands,
    paymentLedger,
    shipmentLedger,
    tokens,
    orders: orderCommands.door,
    ...stock,
    risk: memoryRisk(options.risk),
    payments: memoryPayments({ ...options.payments, record: (entry) => push(paymentLedger, entry) }),
    logistics: memoryLogistics({ ...options.logistics, record: (entry) => push(shipmentLedger, entry) }),
    place: async (order = cupOrder) => {
      const call = { tenantId, commandId: nextCommandId(), correlationId: 'test' };
      const { outcome, orderId } = await orderCommands.place(call, order);
      if (outcome !== 'accepted') throw new Error(`the order was not accepted: ${outcome}`);
      return { tenantId, orderId };
    },
    typesOf: async (stream) => (await store.readStream({ stream })).map(({ type }) => type),
  };
}

function push<Entry>(ledger: Entry[], entry: Entry): Promise<void> {
  ledger.push(entry);
  return Promise.resolve();
}

function openTestStock(store: TestWorld['store']): Pick<TestWorld, 'inventory' | 'receive' | 'stockOf'> {
  const transactor = openTransactor(store, { decider: stockDecider, streamsMax });
  const ask = (
    request: Pick<Parameters<Inventory['release']>[0], 'sku' | 'commandId' | 'correlationId' | 'causationId'>,
    command: Parameters<typeof transactor.transact>[0]['command'],
  ) => {
    const { sku, commandId, correlationId, causationId } = request;
    const stream = stockStream(tenantId, sku);
    return transactor.transact({
      ...{ tenantId, stream, commandId, command, payload: command, correlationId, causationId },
      answers: 'durable',
    });
  };
  return {
    inventory: {
      reserve: (request) => {
        const { sku, orderId, quantity } = request;
        return reservationOf(ask(request, { type: 'ReserveStock', sku, orderId, quantity }), orderId);
      },
      change: (request) => {
        const { sku, orderId, quantity, orderVersion } = request;
        const command = { type: 'ChangeReservation', sku, orderId, quantity, orderVersion } as const;
        return reservationOf(ask(request, command), orderId);
      },
      release: (request) => {
        const { sku, orderId } = request;
        return answerOf(ask(request, { type: 'ReleaseStock', sku, orderId }), 'released');
      },
      deduct: (request) => {
        const { sku, orderId } = request;
        return answerOf(ask(request, { type: 'DeductStock', sku, orderId }), 'deducted');
      },
    },
    receive: async (sku, quantity) => {
      const request = { sku, commandId: nextCommandId(), correlationId: 'test', causationId: null };
      await ask(request, { type: 'ReceiveStock', sku, quantity });
    },
    stockOf: async (sku) => {
      const { state } = await transactor.load(tenantId, stockStream(tenantId, sku));
      return state.status === 'Tracked' ? state : { onHand: 0, reserved: 0 };
    },
  };
}

type StockAnswer = TransactAnswer<StockState>;

async function answerOf<Outcome extends string>(asked: Promise<StockAnswer>, outcome: Outcome) {
  const answer = await asked;
  if (answer.outcome === 'accepted') return { outcome };
  if (answer.outcome === 'rejected') return { outcome: 'rejected', rejection: answer.rejection } as const;
  throw new Error(answer.outcome);
}

async function reservationOf(asked: Promise<StockAnswer>, orderId: OrderId) {
  const answer = await asked;
  if (answer.outcome !== 'accepted') return answerOf(asked, 'reserved' as const);
  const isHeld = answer.state.status === 'Tracked' && holdOf(answer.state, orderId) !== null;
  return { outcome: isHeld ? 'reserved' : 'untracked' } as const;
}

/** One life of a fulfillment process over a world. */
export type Life = {
  readonly driver: Driver;
  readonly observed: readonly Observation[];
  /** Points passed so far: before and after each effect and each append. */
  readonly points: () => number;
  /** Resolves when the process died. */
  readonly died: Promise<void>;
  /** Tells the saga of each event of its order, as the feed would, and drives it until nothing is due. */
  readonly work: (key: SagaKey) => Promise<void>;
};

export type LifeOptions = {
  /** The point, from 1, at which the process dies: whatever it awaits there never comes back. */
  readonly diesAt?: number;
  /** Called at each point. */
  readonly atPoint?: (point: number) => Promise<void>;
  readonly limits?: Partial<FulfillmentLimits>;
};

export function beginLife(world: TestWorld, { diesAt, atPoint, limits }: LifeOptions = {}): Life {
  let points = 0;
  let die: () => void = () => undefined;
  const died = new Promise<void>((resolve) => {
    die = resolve;
  });
  const pass = async (): Promise<void> => {
    points += 1;
    await atPoint?.(points);
    if (diesAt === undefined || points < diesAt) return;
    die();
    await new Promise(() => undefined);
  };
  const mortal = <Port extends object>(port: Port): Port =>
    Object.fromEntries(
      Object.entries(port).map(([name, method]: [string, (...args: readonly unknown[]) => Promise<unknown>]) => [
        name,
        async (...args: readonly unknown[]) => {
          await pass();
          const answer = await method(...args);
          await pass();
          return answer;
        },
      ]),
    ) as Port;

  const transactor = mortal(openTransactor(world.store, { decider: sagaDecider, streamsMax }));
  const { risk, inventory, payments, logistics, orders, tokens } = world;
  const reach: World = {
    risk: mortal(risk),
    inventory: mortal(inventory),
    payments: mortal(payments),
    logistics: mortal(logistics),
    orders: mortal(orders),
    tokens: mortal(tokens),
  };
  const observed: Observation[] = [];
  const driver = openDriver({
    world: reach,
    steps: openSteps(reach),
    transactor,
    limits: { ...defaultLimits, ...limits },
    clock: { now: () => 0, sleep: () => Promise.resolve() },
    random: () => 0.5,
    observe: (observation) => observed.push(observation),
  });
  const work = (key: SagaKey): Promise<void> => settle({ world, transactor, driver }, key);
  return { driver, observed, points: () => points, died, work };
}

type Working = Pick<Life, 'driver'> & {
  readonly world: TestWorld;
  readonly transactor: Parameters<typeof tellSaga>[0];
};

async function settle({ world, transactor, driver }: Working, key: SagaKey): Promise<void> {
  const roundsMax = 100;
  for (let round = 0; round < roundsMax; round += 1) {
    const before = await lengthOf(world, key.orderId);
    for (const event of await world.store.readStream({ stream: orderStream(key.orderId) })) {
      const command = commandOf(event as Recorded<OrderEvent>, () => 900_000);
      const { eventId, correlationId } = event;
      if (command === null) continue;
      await tellSaga(transactor, { key, name: `feed/${eventId}`, command, correlationId, causationId: eventId });
    }
    await driver.drive(key);
    const { state } = await transactor.load(tenantId, fulfillmentStream(key.orderId));
    const timerId = state.status === 'Unstarted' ? null : (state.pending?.waitsFor ?? null);
    if (timerId !== null) {
      const command = { type: 'FireTimer', timerId } as const;
      await tellSaga(transactor, { key, name: `timer/${timerId}`, command, correlationId: 'test', causationId: null });
    }
    if (before === (await lengthOf(world, key.orderId))) return;
  }
  throw new Error(`the saga is not settled after ${roundsMax} rounds`);
}

async function lengthOf({ store }: TestWorld, orderId: OrderId): Promise<number> {
  const streams = [fulfillmentStream(orderId), orderStream(orderId)];
  const lengths = await Promise.all(streams.map(async (stream) => (await store.readStream({ stream })).length));
  return lengths.reduce((sum, length) => sum + length, 0);
}
