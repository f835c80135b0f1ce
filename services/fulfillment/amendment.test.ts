import { describe, expect, it } from 'vitest';
import type { AmendmentInput, OrderInput } from '../../schemas/commands.ts';
import { derivedId, fulfillmentStream, orderStream, type CommandId } from '../../schemas/ids.ts';
import type { SagaKey } from './call-step.ts';
import { sagaDecider } from './saga.ts';
import type { SagaState } from './saga-state.ts';
import { beginLife, openTestWorld, tenantId, type Life, type TestWorld, type WorldOptions } from './test-world.ts';

/** 1,800 in all: of 10 cups and 10 spoons in stock; a saucer is not tracked. */
const slipOrder: OrderInput = {
  customerId: 'c1',
  currency: 'EUR',
  lines: [
    { sku: 'cup', quantity: 3, unitPrice: 500 },
    { sku: 'saucer', quantity: 1, unitPrice: 300 },
  ],
  payments: [{ method: 'bank_slip' }],
};

/** 2,900: more cups, a spoon that is new, no saucer any more. */
const amendment: AmendmentInput = {
  lines: [
    { lineId: '1', sku: 'cup', quantity: 5, unitPrice: 500 },
    { sku: 'spoon', quantity: 2, unitPrice: 200 },
  ],
};
const asAmended: OrderInput = { ...slipOrder, lines: amendment.lines?.map(({ lineId: _, ...line }) => line) ?? [] };

async function stocked(options: WorldOptions = {}): Promise<TestWorld> {
  const world = openTestWorld(options);
  await world.receive('cup', 10);
  await world.receive('spoon', 10);
  return world;
}

let commands = 0;
async function amend(world: TestWorld, { orderId }: SagaKey, change: AmendmentInput): Promise<string> {
  commands += 1;
  const call = { tenantId, commandId: `amend-${commands}` as CommandId, correlationId: 'test' };
  return (await world.orderCommands.amend(call, orderId, change)).outcome;
}

/** As the provider and its webhook do: the money is taken, then the order is told. Paying twice is paying once. */
async function pay(world: TestWorld, { orderId }: SagaKey, amount: number): Promise<void> {
  const paymentId = derivedId(orderId, 'payment/1');
  const hold = { key: `slip/${orderId}/hold`, orderId, paymentId, amount, currency: 'EUR', method: 'bank_slip' };
  const held = await world.payments.authorize(hold);
  if (held.outcome !== 'succeeded') throw new Error('the slip was declined');
  const paid = await world.payments.capture({ ...hold, key: `slip/${orderId}`, authorizationId: held.providerId });
  if (paid.outcome !== 'succeeded') throw new Error('the slip was declined');
  const fact = { orderId, paymentId, providerId: paid.providerId, amount, currency: 'EUR' };
  const ids = { tenantId, commandId: `webhook-${orderId}` as CommandId, correlationId: 'webhook', causationId: null };
  await world.orders.send({ ...ids, command: { type: 'RecordPaymentCaptured', ...fact } });
}

async function sagaOf({ store }: TestWorld, { orderId }: SagaKey): Promise<SagaState> {
  const events = await store.readStream({ stream: fulfillmentStream(orderId) });
  return events.reduce((state, event) => sagaDecider.evolve(state, event as never), sagaDecider.initial);
}

async function stockOf(world: TestWorld) {
  const of = async (sku: string) => {
    const { onHand, reserved } = await world.stockOf(sku);
    return `${onHand} ${sku}s, ${reserved} reserved`;
  };
  return [await of('cup'), await of('spoon')];
}

function sumOf({ paymentLedger }: TestWorld, op: string): number {
  return paymentLedger
    .filter((entry) => entry.op === op && entry.result === 'succeeded')
    .reduce((sum, { amount }) => sum + amount, 0);
}

async function endOf(world: TestWorld, key: SagaKey) {
  const saga = await sagaOf(world, key);
  const { state: order } = await world.orderCommands.transactor.load(tenantId, orderStream(key.orderId));
  const types = await world.typesOf(orderStream(key.orderId));
  return {
    saga: saga.status,
    reason: saga.status === 'Unstarted' ? null : saga.reason,
    order: order.status,
    total: order.status === 'Unplaced' ? 0 : order.totals.total,
    charged: sumOf(world, 'capture') - sumOf(world, 'refund'),
    delivered: types.filter((type) => type === 'ShipmentDelivered').length,
    stock: await stockOf(world),
  };
}

const deliveredAsAmended = {
  saga: 'Completed',
  reason: null,
  order: 'Dispatching',
  total: 2_900,
  charged: 2_900,
  delivered: 1,
  stock: ['5 cups, 0 reserved', '8 spoons, 0 reserved'],
};

describe('an amended order that waits for its slip', () => {
  it('holds the stock of its new lines, keeps what it held, and then ends as if placed so', async () => {
    const world = await stocked();
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    expect(await stockOf(world)).toEqual(['10 cups, 3 reserved', '10 spoons, 0 reserved']);
    expect(await amend(world, key, amendment)).toBe('accepted');
    await life.work(key);
    expect(await stockOf(world)).toEqual(['10 cups, 5 reserved', '10 spoons, 2 reserved']);
    const cups = await world.store.readStream({ stream: `stock-${tenantId}~cup` as never });
    expect(cups.map(({ type }) => type)).toEqual(['StockReceived', 'StockReserved', 'StockReservationChanged']);
    await pay(world, key, 2_900);
    await life.work(key);
    expect(await endOf(world, key)).toEqual(deliveredAsAmended);

    const other = await stocked();
    const placedSo = await other.place(asAmended);
    await pay(other, placedSo, 2_900);
    await beginLife(other).work(placedSo);
    expect(await endOf(other, placedSo)).toEqual(deliveredAsAmended);
  });

  it('takes up only the last of several amendments, and wants a dropped SKU again', async () => {
    const world = await stocked();
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    await amend(world, key, { lines: [{ sku: 'spoon', quantity: 1, unitPrice: 100 }] });
    await life.work(key);
    expect(await stockOf(world)).toEqual(['10 cups, 0 reserved', '10 spoons, 1 reserved']);
    await amend(world, key, { lines: [{ sku: 'cup', quantity: 9, unitPrice: 1 }] });
    await amend(world, key, { lines: amendment.lines?.map(({ lineId: _, ...line }) => line) ?? [] });
    await life.work(key);
    expect(await stockOf(world)).toEqual(['10 cups, 5 reserved', '10 spoons, 2 reserved']);
    await pay(world, key, 2_900);
    await life.work(key);
    expect(await endOf(world, key)).toEqual(deliveredAsAmended);
  });

  it('is cancelled where there is too little for it, and holds nothing any more', async () => {
    const world = await stocked();
    await world.receive('bowl', 10);
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    const bowl = { sku: 'bowl', quantity: 1, unitPrice: 1 };
    await amend(world, key, { lines: [bowl, { ...bowl, sku: 'spoon', quantity: 11 }, ...(amendment.lines ?? [])] });
    await life.work(key);
    expect(await world.stockOf('bowl')).toMatchObject({ onHand: 10, reserved: 0 });
    expect(await endOf(world, key)).toMatchObject({
      ...{ saga: 'Compensated', reason: 'out_of_stock', order: 'Cancelled' },
      stock: ['10 cups, 0 reserved', '10 spoons, 0 reserved'],
    });
  });

  it('is assessed anew, and cancelled where its new total is too much of a risk', async () => {
    const world = await stocked({ risk: { reject: ({ amount }) => (amount > 2_000 ? 'SCORE' : undefined) } });
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    await amend(world, key, amendment);
    await life.work(key);
    expect(await endOf(world, key)).toMatchObject({
      ...{ saga: 'Compensated', reason: 'risk_rejected', order: 'Cancelled' },
      stock: ['10 cups, 0 reserved', '10 spoons, 0 reserved'],
    });
  });

  it.each([
    [
      'cancelled',
      async (world: TestWorld, { orderId }: SagaKey) => {
        const call = { tenantId, commandId: 'cancel' as CommandId, correlationId: 'test' };
        await world.orderCommands.cancel(call, orderId, 'changed my mind');
      },
    ],
    ['paid at its old amount, which is too little', (world: TestWorld, key: SagaKey) => pay(world, key, 1_800)],
  ])('and then is %s gives back what it holds and what was paid', async (_title, happen) => {
    const world = await stocked();
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    await amend(world, key, amendment);
    await life.work(key);
    await happen(world, key);
    await life.work(key);
    expect(await endOf(world, key)).toMatchObject({
      ...{ saga: 'Compensated', order: 'Cancelled', charged: 0, delivered: 0 },
      stock: ['10 cups, 0 reserved', '10 spoons, 0 reserved'],
    });
  });

  it('and then is paid at its old amount, which is more, is delivered, and what was paid is recorded as it is', async () => {
    const world = await stocked();
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    await amend(world, key, { lines: [{ sku: 'spoon', quantity: 1, unitPrice: 100 }] });
    await life.work(key);
    await pay(world, key, 1_800);
    await life.work(key);
    expect(await endOf(world, key)).toMatchObject({ saga: 'Completed', total: 100, charged: 1_800, delivered: 1 });
  });

  it('down to nothing waits for nobody', async () => {
    const world = await stocked();
    const key = await world.place(slipOrder);
    const life = beginLife(world);
    await life.work(key);
    await amend(world, key, { discount: 1_800 });
    await life.work(key);
    expect(await endOf(world, key)).toMatchObject({ saga: 'Completed', total: 0, charged: 0, delivered: 1 });
  });

  it('does each thing once where every port is called twice', async () => {
    const world = await stocked();
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
    const { inventory, orders, risk, logistics } = world;
    const doubled = {
      ...world,
      ...{ inventory: twice(inventory), orders: twice(orders), risk: twice(risk), logistics: twice(logistics) },
    };
    const key = await world.place(slipOrder);
    const life = beginLife(doubled);
    await life.work(key);
    await amend(world, key, amendment);
    await life.work(key);
    await pay(world, key, 2_900);
    await life.work(key);
    expect(await endOf(world, key)).toEqual(deliveredAsAmended);
  });
});

// Hundreds of whole orders: quick on a free machine, and given time on a busy one.
describe('an amendment', { timeout: 120_000 }, () => {
  it('at any point before the payment ends as if placed so', async () => {
    const calm = await stocked();
    const whole = beginLife(calm);
    await whole.work(await calm.place(slipOrder));

    for (let point = 1; point <= whole.points(); point += 1) {
      const world = await stocked();
      const key = await world.place(slipOrder);
      const atPoint = async (at: number): Promise<void> => {
        if (at === point) expect(await amend(world, key, amendment)).toBe('accepted');
      };
      const life = beginLife(world, { atPoint });
      await life.work(key);
      await pay(world, key, 2_900);
      await life.work(key);
      expect(await endOf(world, key), `amended at ${point}`).toEqual(deliveredAsAmended);
    }
  });

  it('while a step is left without an outcome by a crash does not change what that step asks again', async () => {
    const calm = await stocked();
    const whole = beginLife(calm);
    await whole.work(await calm.place(slipOrder));

    for (let diesAt = 1; diesAt <= whole.points(); diesAt += 1) {
      const world = await stocked();
      const key = await world.place(slipOrder);
      const life = beginLife(world, { diesAt });
      await Promise.race([life.work(key), life.died]);
      expect(await amend(world, key, amendment)).toBe('accepted');
      const next = beginLife(world);
      await next.work(key);
      await pay(world, key, 2_900);
      await next.work(key);
      expect(await endOf(world, key), `died at ${diesAt}`).toEqual(deliveredAsAmended);
    }
  });

  const script: readonly (readonly [string, AmendmentInput, number, object])[] = [
    ['delivered', amendment, 2_900, deliveredAsAmended],
    [
      'out of stock',
      { lines: [{ sku: 'spoon', quantity: 11, unitPrice: 1 }] },
      0,
      { saga: 'Compensated', reason: 'out_of_stock', stock: ['10 cups, 0 reserved', '10 spoons, 0 reserved'] },
    ],
  ];

  it.each(script)('that ends %s does so after a crash at any point', async (...row) => {
    const [, change, amount, expected] = row;
    const run = async (world: TestWorld, key: SagaKey, life: Life): Promise<void> => {
      await life.work(key);
      await amend(world, key, change);
      await life.work(key);
      if (amount > 0) await pay(world, key, amount);
      await life.work(key);
    };
    const calm = await stocked();
    const whole = beginLife(calm);
    const first = await calm.place(slipOrder);
    await run(calm, first, whole);
    expect(await endOf(calm, first)).toMatchObject(expected);
    expect(whole.points()).toBeGreaterThan(10);

    for (let diesAt = 1; diesAt <= whole.points(); diesAt += 1) {
      const world = await stocked();
      const key = await world.place(slipOrder);
      const life = beginLife(world, { diesAt });
      await Promise.race([run(world, key, life), life.died]);
      await run(world, key, beginLife(world));
      expect(await endOf(world, key), `died at ${diesAt}`).toMatchObject(expected);
    }
  });
});
