import { describe, expect, it } from 'vitest';
import { OperationalFailure } from '../../infra/failures.ts';
import type { Payments } from '../../infra/payments/port.ts';
import { fulfillmentStream, orderStream, type CommandId } from '../../schemas/ids.ts';
import type { SagaKey } from './call-step.ts';
import { stepNames } from './saga-advance.ts';
import { sagaDecider } from './saga.ts';
import { asks, type SagaState } from './saga-state.ts';
import { openSteps } from './steps/steps.ts';
import { beginLife, cupOrder, openTestWorld, tenantId, type TestWorld, type WorldOptions } from './test-world.ts';

async function sagaOf({ store }: TestWorld, { orderId }: SagaKey): Promise<SagaState> {
  const events = await store.readStream({ stream: fulfillmentStream(orderId) });
  return events.reduce((state, event) => sagaDecider.evolve(state, event as never), sagaDecider.initial);
}

async function summaryOf(world: TestWorld, key: SagaKey) {
  const saga = await sagaOf(world, key);
  const { state: order } = await world.orderCommands.transactor.load(tenantId, orderStream(key.orderId));
  return {
    saga: saga.status,
    reason: saga.status === 'Unstarted' ? null : saga.reason,
    order: order.status,
    payments: order.status === 'Unplaced' ? [] : order.payments.map(({ status }) => status),
    charged: charged(world),
    held: held(world),
    parcels: world.shipmentLedger.filter(({ result }) => result === 'dispatched').length,
    cups: await world.stockOf('cup').then(({ onHand, reserved }) => ({ onHand, reserved })),
  };
}

function sumOf({ paymentLedger }: TestWorld, op: string): number {
  return paymentLedger
    .filter((entry) => entry.op === op && entry.result === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0);
}

/** What the customer has paid in the end, by the gateway's own ledger. */
function charged(world: TestWorld): number {
  return sumOf(world, 'capture') - sumOf(world, 'refund');
}

/** What is still held of his, by the gateway's own ledger. */
function held(world: TestWorld): number {
  return sumOf(world, 'authorize') - sumOf(world, 'void') - sumOf(world, 'capture');
}

/** Each succeeded step of a failed saga has one succeeded undo, in reverse order. */
async function expectUnwound({ store }: TestWorld, { orderId }: SagaKey): Promise<void> {
  const outcomes = (await store.readStream({ stream: fulfillmentStream(orderId) }))
    .filter(({ type }) => type === 'StepSucceeded')
    .map(({ data }) => data as { readonly step: string; readonly direction: string })
    .filter(({ step }) => !step.endsWith('-order'));
  const of = (direction: string) => outcomes.filter((each) => each.direction === direction).map(({ step }) => step);
  expect(of('undo')).toEqual(of('run').reverse());
}

async function stocked(options: WorldOptions = {}): Promise<TestWorld> {
  const world = openTestWorld(options);
  await world.receive('cup', 10);
  return world;
}

const delivered = {
  saga: 'Completed',
  reason: null,
  order: 'Dispatching',
  payments: ['Captured', 'Captured'],
  charged: 1800,
  held: 0,
  parcels: 1,
  cups: { onHand: 7, reserved: 0 },
};

describe('a drive', () => {
  it('knows a step for every name on the way', () => {
    const names = openSteps(openTestWorld()).map(({ name }) => name);
    expect(names).toEqual([...stepNames, ...asks]);
  });

  it('brings an order with two payments and an untracked SKU to its delivery', async () => {
    const world = await stocked();
    const key = await world.place();
    await beginLife(world).work(key);
    expect(await summaryOf(world, key)).toEqual(delivered);
    expect(await world.typesOf(orderStream(key.orderId))).toEqual([
      'OrderPlaced',
      'PaymentAuthorized',
      'PaymentAuthorized',
      'ShipmentBooked',
      'PaymentCaptured',
      'PaymentCaptured',
      'DispatchBegun',
      'ShipmentDispatched',
      'ShipmentDelivered',
    ]);
    expect(await world.tokens.find(tenantId, key.orderId, 'any')).toBeNull();
  });

  it('looks after the parcel again by a timer while it is on its way', async () => {
    let questions = 0;
    const now = () => new Date(questions * 1000);
    const world = await stocked({ logistics: { deliveryMs: 3000, now, refuse: () => void (questions += 1) } });
    const key = await world.place();
    await beginLife(world).work(key);
    expect((await summaryOf(world, key)).saga).toBe('Completed');
    expect(await world.typesOf(fulfillmentStream(key.orderId))).toContain('TimerFired');
  });

  it('runs once where it is asked for twice at the same time', async () => {
    const world = await stocked();
    const key = await world.place();
    const [one, other] = [beginLife(world), beginLife(world)];
    await Promise.all([one.work(key), other.work(key), one.work(key)]);
    expect(await summaryOf(world, key)).toEqual(delivered);
  });

  it('does everything at most once where each step is run and undone again', async () => {
    const world = await stocked({ logistics: { refuse: ({ op }) => (op === 'book' ? 'NO_ROUTE' : undefined) } });
    const twice = <Port extends object>(port: Port): Port =>
      Object.fromEntries(
        Object.entries(port).map(([name, method]: [string, (...args: unknown[]) => Promise<unknown>]) => [
          name,
          async (...args: unknown[]) => {
            await method(...args);
            return method(...args);
          },
        ]),
      ) as Port;
    const { payments, logistics, inventory, orders, risk } = world;
    const again = { payments, logistics, inventory, orders, risk };
    const doubled = {
      ...world,
      ...Object.fromEntries(Object.entries(again).map(([name, port]) => [name, twice(port)])),
    };
    const key = await world.place();
    await beginLife(doubled).work(key);
    expect(await summaryOf(world, key)).toMatchObject({ saga: 'Compensated', charged: 0, held: 0 });
    await expectUnwound(world, key);
  });
});

const refusals: readonly (readonly [string, WorldOptions, string])[] = [
  ['risk', { risk: { reject: () => 'SCORE' } }, 'risk_rejected'],
  ['authorize', { payments: { decline: (operation) => decline('authorize', operation) } }, 'payment_failed'],
  ['book', { logistics: { refuse: ({ op }) => (op === 'book' ? 'NO_ROUTE' : undefined) } }, 'shipping_failed'],
  ['capture', { payments: { decline: (operation) => decline('capture', operation) } }, 'payment_failed'],
];

type Declinable = { readonly op: string; readonly amount?: number | undefined };

/** The second payment is declined: the first must be given back. */
function decline(which: string, operation: Declinable): string | undefined {
  return operation.op === which && operation.amount === 800 ? 'DECLINED' : undefined;
}

describe('a refusal', () => {
  it.each(refusals)(
    'of %s unwinds what was done, once, and leaves nothing held or paid',
    async (_, options, reason) => {
      const world = await stocked(options);
      const key = await world.place();
      await beginLife(world).work(key);
      expect(await summaryOf(world, key)).toMatchObject({
        saga: 'Compensated',
        reason,
        order: 'Cancelled',
        charged: 0,
        held: 0,
        parcels: 0,
        cups: { onHand: 10, reserved: 0 },
      });
      await expectUnwound(world, key);
    },
  );

  it('of one SKU releases the others that were held', async () => {
    const world = await stocked();
    await world.receive('teapot', 1);
    const lines = [...cupOrder.lines, { sku: 'teapot', quantity: 2, unitPrice: 0 }];
    const key = await world.place({ ...cupOrder, lines });
    await beginLife(world).work(key);
    expect(await summaryOf(world, key)).toMatchObject({ reason: 'out_of_stock', cups: { onHand: 10, reserved: 0 } });
    expect(world.paymentLedger).toEqual([]);
  });

  it('of the declined card voids the payment before it', async () => {
    const world = await stocked();
    const payments = [
      { method: 'voucher', amount: 800 },
      { method: 'card', amount: 1000, token: 'tok_declined' },
    ];
    const key = await world.place({ ...cupOrder, payments });
    await beginLife(world).work(key);
    expect(await summaryOf(world, key)).toMatchObject({
      order: 'Cancelled',
      payments: ['Voided', 'Failed'],
      held: 0,
    });
  });
});

// Hundreds of whole orders each: quick on a free machine, and given time on a busy one.
describe('a crash at any point', { timeout: 120_000 }, () => {
  const scenarios: readonly (readonly [string, WorldOptions])[] = [
    ['delivered', {}],
    ...refusals.map(([step, options]) => [`${step} refused`, options] as const),
  ];

  it.each(scenarios)(
    'of an order with %s ends as if there were none, with one charge an attempt',
    async (_, options) => {
      const calm = await stocked(options);
      const first = await calm.place();
      const whole = beginLife(calm);
      await whole.work(first);
      const expected = await summaryOf(calm, first);
      expect(whole.points()).toBeGreaterThan(10);

      for (let diesAt = 1; diesAt <= whole.points(); diesAt += 1) {
        const world = await stocked(options);
        const key = await world.place();
        const life = beginLife(world, { diesAt });
        await Promise.race([life.work(key), life.died]);
        await beginLife(world).work(key);
        expect(await summaryOf(world, key), `died at ${diesAt}`).toEqual(expected);
        const keys = world.paymentLedger.map((entry) => entry.key);
        expect(new Set(keys).size, `died at ${diesAt}`).toBe(keys.length);
        if (expected.saga === 'Compensated') await expectUnwound(world, key);
      }
    },
  );
});

describe('a cancel by the customer', { timeout: 120_000 }, () => {
  it('at any point either wins, and all is given back, or is refused, and the order is delivered', async () => {
    const calm = await stocked();
    const first = await calm.place();
    const whole = beginLife(calm);
    await whole.work(first);

    const outcomes = new Set<string>();
    for (let point = 1; point <= whole.points(); point += 1) {
      const world = await stocked();
      const key = await world.place();
      let answer = '';
      const cancel = async (at: number): Promise<void> => {
        if (at !== point) return;
        const call = { tenantId, commandId: 'cancel' as CommandId, correlationId: 'test' };
        answer = (await world.orderCommands.cancel(call, key.orderId, 'changed my mind')).outcome;
      };
      await beginLife(world, { atPoint: cancel }).work(key);
      outcomes.add(answer);
      const summary = await summaryOf(world, key);
      if (answer === 'rejected') expect(summary, `at ${point}`).toEqual(delivered);
      else {
        const wound = { saga: 'Compensated', reason: 'cancelled', order: 'Cancelled', charged: 0, held: 0, parcels: 0 };
        expect(summary, `at ${point}`).toMatchObject({ ...wound, cups: { onHand: 10, reserved: 0 } });
        await expectUnwound(world, key);
      }
    }
    expect([...outcomes].sort()).toEqual(['accepted', 'rejected']);
  });
});

/** The gateway acts, and its answer is lost. */
function losingAnswers(
  payments: Payments,
  operation: 'authorize' | 'capture' | 'refund' | 'void',
  times: number,
): Payments {
  let left = times;
  return {
    ...payments,
    [operation]: async (request: never) => {
      const answer = await payments[operation](request);
      if (left === 0) return answer;
      left -= 1;
      throw new OperationalFailure('DEPENDENCY_TIMEOUT', 'no answer', { retryable: true });
    },
  };
}

describe('an answer that is lost', () => {
  it.each(['authorize', 'capture'] as const)('of %s is asked for by its key, and charged once', async (operation) => {
    const world = await stocked();
    const key = await world.place();
    await beginLife({ ...world, payments: losingAnswers(world.payments, operation, 1) }).work(key);
    expect(await summaryOf(world, key)).toEqual(delivered);
    expect(world.paymentLedger.filter(({ op }) => op === operation)).toHaveLength(2);
    expect(await world.typesOf(orderStream(key.orderId))).toContain('PaymentOutcomeUnknown');
  });

  it.each(['refund', 'void'] as const)('of %s is given back once', async (operation) => {
    const world = await stocked();
    const key = await world.place();
    const cancel = async (): Promise<void> => {
      const call = { tenantId, commandId: 'cancel' as CommandId, correlationId: 'test' };
      if (world.paymentLedger.some(({ op }) => op === 'capture'))
        await world.orderCommands.cancel(call, key.orderId, 'x');
    };
    const lost = { ...world, payments: losingAnswers(world.payments, operation, 1) };
    await beginLife(lost, { atPoint: cancel }).work(key);
    expect(await summaryOf(world, key)).toMatchObject({ saga: 'Compensated', charged: 0 });
    await expectUnwound(world, key);
  });

  it('for ever ends in the quarantine of this saga alone', async () => {
    const world = await stocked();
    const key = await world.place();
    const down = { ...world, payments: losingAnswers(world.payments, 'authorize', Infinity) };
    const forgetful = { ...down, payments: { ...down.payments, find: () => Promise.resolve('not-found' as const) } };
    await beginLife(forgetful).work(key);
    expect((await summaryOf(world, key)).saga).toBe('Quarantined');
    const other = await world.place();
    await beginLife(world).work(other);
    expect((await sagaOf(world, other)).status).toBe('Completed');
  });

  it('under a refused request is tried under a new key, and the holds of the old one are given back', async () => {
    const world = await stocked();
    const key = await world.place();
    let refusedOnce = false;
    const authorize: Payments['authorize'] = (request) => {
      if (refusedOnce || request.amount !== 800) return world.payments.authorize(request);
      refusedOnce = true;
      return Promise.reject(new OperationalFailure('DEPENDENCY_REFUSED', 'no', { retryable: false }));
    };
    await beginLife({ ...world, payments: { ...world.payments, authorize } }).work(key);
    expect(await summaryOf(world, key)).toMatchObject({ ...delivered, payments: ['Captured', 'Captured'] });
    expect((await sagaOf(world, key)) as object).toMatchObject({ attempts: { 'authorize/run': 2 } });
  });
});

describe('a bug in a step', () => {
  it.each(stepNames.filter((step) => step !== 'dispatch' && step !== 'deliver'))(
    'of %s quarantines its saga, is told, and stops no other',
    async (step) => {
      const world = await stocked();
      const poisoned = await world.place();
      const sound = await world.place();
      const bug = <Method>(method: Method): Method =>
        ((request: { readonly orderId: string }) => {
          if (request.orderId === poisoned.orderId) throw new TypeError('a bug');
          return (method as (of: unknown) => unknown)(request);
        }) as Method;
      const { risk, inventory, payments, logistics } = world;
      const broken = {
        risk: { risk: { assess: bug(risk.assess) } },
        reserve: { inventory: { ...inventory, reserve: bug(inventory.reserve.bind(inventory)) } },
        authorize: { payments: { ...payments, authorize: bug(payments.authorize) } },
        book: { logistics: { ...logistics, book: bug(logistics.book) } },
        capture: { payments: { ...payments, capture: bug(payments.capture) } },
      }[step];
      const life = beginLife({ ...world, ...broken });
      await Promise.all([life.work(poisoned), life.work(sound)]);
      expect((await sagaOf(world, poisoned)).status).toBe('Quarantined');
      expect((await sagaOf(world, sound)).status).toBe('Completed');
      expect(life.observed.some(({ what }) => what === 'bug')).toBe(true);
    },
  );
});

describe('the bound of drives', () => {
  it('lets no more run at once than it says', async () => {
    const world = await stocked();
    let running = 0;
    let most = 0;
    const assess: TestWorld['risk']['assess'] = async (request) => {
      running += 1;
      most = Math.max(most, running);
      const answer = await world.risk.assess(request);
      running -= 1;
      return answer;
    };
    const keys = await Promise.all(
      Array.from({ length: 20 }, () =>
        world.place({ ...cupOrder, lines: [{ sku: 'free', quantity: 1, unitPrice: 1800 }] }),
      ),
    );
    const life = beginLife({ ...world, risk: { assess } }, { limits: { drivesMax: 3, waitingMax: 2 } });
    await Promise.all(keys.map((key) => life.work(key)));
    expect(most).toBeLessThanOrEqual(3);
    for (const key of keys) expect((await sagaOf(world, key)).status).toBe('Completed');
  });
});
