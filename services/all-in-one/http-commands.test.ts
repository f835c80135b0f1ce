import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../infra/http-server/problem.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import { derivedId, orderIdOf } from '../../schemas/ids.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import { openMemoryDoor } from './memory-door.ts';
import type { MemoryDoor, MemoryDoorOptions } from './memory-door.ts';

const doors: MemoryDoor[] = [];
afterEach(() => Promise.all(doors.splice(0).map(({ server }) => server.close())));

async function open(options: MemoryDoorOptions = {}): Promise<MemoryDoor> {
  const door = await openMemoryDoor(options);
  doors.push(door);
  return door;
}

const tenant = 'default' as TenantId;
/** 4,990 in all, paid later by one slip. */
const slipOrder = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [
    { sku: 'mug-blue', quantity: 2, unitPrice: 2_000, tax: 10, name: 'Mug' },
    { sku: 'tea', quantity: 1, unitPrice: 480 },
  ],
  shippingFee: 500,
  payments: [{ method: 'bank_slip' }],
};
const cardOrder = { ...slipOrder, payments: [{ method: 'card', token: 'tok_visa' }] };
const address = { name: 'Ada', line1: '1 Street', city: 'Berlin', postalCode: '10115', country: 'DE' };

type Headers = Readonly<Record<string, string>>;

/** A door, a path, then a body and what headers it needs. */
function post(...[{ server }, url, body, headers = {}]: readonly [MemoryDoor, string, object, Headers?]) {
  const sent = { 'idempotency-key': randomUUID(), ...headers };
  return server.app.inject({ method: 'POST', url, payload: body, headers: sent });
}

async function place(door: MemoryDoor, key: string, body: object = slipOrder): Promise<string> {
  const answer = await post(door, '/v1/orders', body, { 'idempotency-key': key });
  return answer.headers.location ?? '';
}

const paymentOf = (key: string, number = 1) => derivedId(orderIdOf(tenant, key as CommandId), `payment/${number}`);

function withoutAsOf(body: string): unknown {
  const { asOf: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return rest;
}

/** The provider says something about a payment. */
async function tell(door: MemoryDoor, key: string, type: 'RecordPaymentAuthorized' | 'RecordPaymentCaptured') {
  const orderId = orderIdOf(tenant, key as CommandId);
  const fact = { orderId, paymentId: paymentOf(key), providerId: type, amount: 4_990, currency: 'EUR' };
  const ids = { tenantId: tenant, commandId: randomUUID() as CommandId, correlationId: 'c', causationId: null };
  await door.commands.door.send({ ...ids, command: { type, ...fact } });
}

const moreTea = {
  lines: [
    { lineId: '1', sku: 'mug-blue', quantity: 1, unitPrice: 2_000, tax: 10, name: 'Mug' },
    { sku: 'tea-green', quantity: 3, unitPrice: 500 },
  ],
};

describe('amending an order', () => {
  it('answers 200 with lines, totals and planned payment as they are from now on', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    const answer = await post(door, `${url}/amend`, moreTea);
    expect([answer.statusCode, answer.headers.etag]).toEqual([200, '"2"']);
    expect(answer.json()).toMatchObject({
      status: 'placed',
      version: 2,
      totals: { subtotal: 3_500, discount: 0, shipping: 500, tax: 10, total: 4_010 },
      lines: [
        { lineId: '1', sku: 'mug-blue', quantity: 1, tax: 10 },
        { lineId: '3', sku: 'tea-green', quantity: 3, tax: 0, name: null },
      ],
      payment: { status: 'pending', items: [{ paymentId: paymentOf('key-1'), method: 'bank_slip', amount: 4_010 }] },
      asOf: { version: 2, lagMs: 0 },
    });
    const read = await door.server.app.inject(url);
    expect(withoutAsOf(read.body)).toEqual(withoutAsOf(answer.body));
  });

  it('never gives the id of a dropped line again', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    const lines = [{ sku: 'tea', quantity: 1, unitPrice: 480 }];
    for (const id of ['3', '4']) {
      const { lines: now } = (await post(door, `${url}/amend`, { lines })).json<OrderSummary>();
      expect(now.map(({ lineId }) => lineId)).toEqual([id]);
    }
  });

  it('is answered again as the first time under the same key, and refused under it with another body', async () => {
    const door = await open();
    const url = `${await place(door, 'key-1')}/amend`;
    const key = { 'idempotency-key': 'amend-1' };
    const first = await post(door, url, moreTea, key);
    await post(door, url, { shippingFee: 0 });
    const again = await post(door, url, moreTea, key);
    expect([again.statusCode, again.headers.etag, again.headers['idempotency-replayed']]).toEqual([200, '"2"', 'true']);
    expect(again.json()).toEqual(withoutAsOf(first.body));
    const other = await post(door, url, { shippingFee: 1 }, key);
    expect([other.statusCode, other.json<Problem>().code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
  });

  it('to what is there already is accepted and adds no event', async () => {
    const door = await open();
    const url = `${await place(door, 'key-1')}/amend`;
    for (const same of [{ shippingFee: 500 }, { discount: 0 }]) {
      const answer = await post(door, url, same);
      expect([answer.statusCode, answer.headers.etag]).toEqual([200, '"1"']);
    }
    expect((await door.store.readLog({ after: null, limit: 10 })).events).toHaveLength(1);
  });

  it('seals a new address under the customer, and shows it to nobody', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    const answer = await post(door, `${url}/amend`, { shippingAddress: { ...address, line1: 'canary-street 7' } });
    expect([answer.statusCode, answer.headers.etag]).toEqual([200, '"2"']);
    const { events } = await door.store.readLog({ after: null, limit: 10 });
    expect(events.map(({ type }) => type)).toEqual(['OrderPlaced', 'OrderAmended']);
    expect(events[1]?.data).toMatchObject({
      totals: { total: 4_990 },
      previousTotal: 4_990,
      sealed: { box: expect.any(String) as string },
    });
    expect(answer.body + JSON.stringify(events)).not.toContain('canary');
  });

  it.each([
    ['"1"', 200],
    ['"2"', 412],
    ['x', 400],
  ])('with If-Match %s on version 1 gets %i', async (ifMatch, status) => {
    const door = await open();
    const url = `${await place(door, 'key-1')}/amend`;
    expect((await post(door, url, moreTea, { 'if-match': ifMatch })).statusCode).toBe(status);
  });

  it.each([
    [{}, 400, 'INVALID_REQUEST', ''],
    [{ email: 'ada@example.org' }, 400, 'INVALID_REQUEST', '/email'],
    [{ lines: [] }, 422, 'INVALID_VALUE', '/lines'],
    [{ lines: [{ lineId: '9', sku: 'a', quantity: 1, unitPrice: 1 }] }, 422, 'INVALID_VALUE', '/lines/0/lineId'],
    [{ lines: [{ lineId: '1', sku: 'a', quantity: 1, unitPrice: 1 }] }, 422, 'INVALID_VALUE', '/lines/0/sku'],
    [{ lines: [{ sku: 'a', quantity: 1, unitPrice: 1, lineid: '1' }] }, 400, 'INVALID_REQUEST', '/lines/0/lineid'],
    [{ discount: 5_000 }, 422, 'TOTAL_MISMATCH', undefined],
    [{ payments: [{ paymentId: randomUUID(), amount: 1 }] }, 422, 'INVALID_VALUE', '/payments/0/paymentId'],
    [{ payments: [{ paymentId: paymentOf('key-1'), amount: 1 }] }, 422, 'TOTAL_MISMATCH', undefined],
  ])('to %j is refused', async (...row) => {
    const [body, status, code, pointer] = row;
    const door = await open();
    const answer = await post(door, `${await place(door, 'key-1')}/amend`, body);
    const problem = answer.json<Problem>();
    expect([answer.statusCode, problem.code, problem.errors?.[0]?.pointer]).toEqual([status, code, pointer]);
  });

  it('of several payments takes the amounts that add up', async () => {
    const door = await open();
    const payments = [
      { method: 'bank_slip', amount: 1_000 },
      { method: 'bank_slip', amount: 3_990 },
    ];
    const url = `${await place(door, 'key-1', { ...slipOrder, payments })}/amend`;
    const unclear = await post(door, url, { shippingFee: 0 });
    expect(unclear.json<Problem>().code).toBe('TOTAL_MISMATCH');
    const second = { paymentId: paymentOf('key-1', 2), amount: 3_490 };
    const { payment } = (await post(door, url, { shippingFee: 0, payments: [second] })).json<OrderSummary>();
    expect(payment.items.map(({ amount }) => amount)).toEqual([1_000, 3_490]);
  });

  it.each([
    ['by card', cardOrder, null, 'ORDER_PAYMENT_BEGUN'],
    [
      'partly by voucher',
      {
        ...slipOrder,
        payments: [
          { method: 'bank_slip', amount: 4_000 },
          { method: 'voucher', amount: 990 },
        ],
      },
      null,
      'ORDER_PAYMENT_BEGUN',
    ],
    ['by a slip that is held', slipOrder, 'RecordPaymentAuthorized', 'ORDER_PAYMENT_BEGUN'],
    ['by a slip that is paid', slipOrder, 'RecordPaymentCaptured', 'ORDER_PAID'],
    ['by nothing, for it costs nothing', { ...slipOrder, discount: 4_990, payments: [] }, null, 'ORDER_PAID'],
  ] as const)('that is paid %s is refused', async (...row) => {
    const [, body, fact, code] = row;
    const door = await open();
    const url = await place(door, 'key-1', body);
    if (fact !== null) await tell(door, 'key-1', fact);
    const answer = await post(door, `${url}/amend`, moreTea);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([409, code]);
  });

  it('that ended, or is not there, or is of another tenant, is refused', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    const foreign = await post(door, `${url}/amend`, moreTea, { 'x-tenant-id': 'other' });
    expect([foreign.statusCode, foreign.json<Problem>().code]).toEqual([404, 'ORDER_NOT_FOUND']);
    await post(door, `${url}/cancel`, { reason: 'x' });
    const ended = await post(door, `${url}/amend`, moreTea);
    expect([ended.statusCode, ended.json<Problem>().code]).toEqual([409, 'ORDER_CANCELLED']);
    expect((await post(door, `/v1/orders/${randomUUID()}/amend`, moreTea)).statusCode).toBe(404);
  });
});

describe('the actions of an order', () => {
  const actions = async (door: MemoryDoor, url: string, headers: Headers = {}) => {
    const answer = await door.server.app.inject({ url: `${url}/actions`, headers });
    return { status: answer.statusCode, items: answer.json<{ items?: unknown[] }>().items };
  };

  it('that is paid later are all allowed', async () => {
    const door = await open();
    expect(await actions(door, await place(door, 'key-1'))).toEqual({
      status: 200,
      items: [
        { action: 'amend', allowed: true },
        { action: 'cancel', allowed: true },
      ],
    });
  });

  it('say why not, with the fact that stands in the way', async () => {
    const door = await open();
    const { items } = await actions(door, await place(door, 'key-1', cardOrder));
    expect(items).toEqual([
      {
        ...{ action: 'amend', allowed: false, code: 'ORDER_PAYMENT_BEGUN' },
        reason: `Payment of the order has begun: payment ${paymentOf('key-1')} by card is authorized from the placement on.`,
      },
      { action: 'cancel', allowed: true },
    ]);
  });

  it('follow the order at once: paid, dispatched, ended', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    await tell(door, 'key-1', 'RecordPaymentCaptured');
    expect((await actions(door, url)).items).toMatchObject([
      { allowed: false, code: 'ORDER_PAID', reason: 'The order is paid: 4990 of 4990 is captured.' },
      { allowed: true },
    ]);
    const orderId = url.slice('/v1/orders/'.length) as OrderId;
    const ids = { tenantId: tenant, commandId: 'begin' as CommandId, correlationId: 'c', causationId: null };
    await door.commands.door.send({ ...ids, command: { type: 'BeginDispatch', orderId } });
    expect((await actions(door, url)).items).toMatchObject([
      { allowed: false, code: 'ORDER_ALREADY_SHIPPED' },
      { allowed: false, code: 'ORDER_ALREADY_SHIPPED' },
    ]);
    const other = await place(door, 'key-2');
    await post(door, `${other}/cancel`, { reason: 'x' });
    expect((await actions(door, other)).items).toMatchObject([
      { allowed: false, code: 'ORDER_CANCELLED' },
      { allowed: false, code: 'ORDER_CANCELLED', reason: 'The order is cancelled: nothing would change.' },
    ]);
  });

  it('are not told of an order that is not there, or of another tenant', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    expect((await actions(door, `/v1/orders/${randomUUID()}`)).status).toBe(404);
    expect((await actions(door, url, { 'x-tenant-id': 'other' })).status).toBe(404);
    expect((await actions(door, '/v1/orders/nonsense')).status).toBe(400);
  });

  it('are decided on what another process stored a moment ago', async () => {
    const door = await open();
    const url = await place(door, 'key-1');
    await actions(door, url);
    const orderId = url.slice('/v1/orders/'.length) as OrderId;
    const data = { orderId, reason: 'elsewhere' };
    const event = {
      eventId: randomUUID() as never,
      type: 'OrderCancelled',
      schemaVersion: 1,
      occurredAt: undefined,
      data,
    };
    await door.store.append({
      ...{ stream: `order-${orderId}` as never, tenantId: tenant, expected: 0, commandHash: 'aa', origin: 'live' },
      ...{ commandId: 'elsewhere' as CommandId, correlationId: 'c', causationId: null, events: [event] },
    });
    expect((await actions(door, url)).items).toMatchObject([{ allowed: false }, { allowed: false }]);
  });
});
