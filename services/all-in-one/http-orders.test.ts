import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { OperationalFailure } from '../../infra/failures.ts';
import type { Problem } from '../../infra/http-server/problem.ts';
import { openLog } from '../../infra/logging/open.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import { derivedId, orderIdOf } from '../../schemas/ids.ts';
import type { CommandId, TenantId } from '../../schemas/ids.ts';
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
const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug-blue', quantity: 2, unitPrice: 2_245 }],
  shippingFee: 500,
  payments: [{ method: 'card', token: 'tok_visa' }],
};

type Headers = Readonly<Record<string, string>>;

function post({ server }: MemoryDoor, url: string, { body, headers }: { body: object; headers?: Headers }) {
  return server.app.inject({
    method: 'POST',
    url,
    payload: body,
    headers: { 'idempotency-key': randomUUID(), ...headers },
  });
}

async function place(door: MemoryDoor, key: string, body: object = order) {
  return post(door, '/v1/orders', { body, headers: { 'idempotency-key': key } });
}

async function countEvents({ store }: MemoryDoor): Promise<number> {
  return (await store.readLog({ after: null, limit: 5_000 })).events.length;
}

function withoutAsOf(body: string): unknown {
  const { asOf: _, ...rest } = JSON.parse(body) as Record<string, unknown>;
  return rest;
}

describe('placing an order', () => {
  it('answers 201 with its address, its version and its summary, and the order is readable at once', async () => {
    const door = await open();
    const answer = await place(door, 'key-1');
    const orderId = orderIdOf(tenant, 'key-1' as CommandId);
    expect([answer.statusCode, answer.headers.location, answer.headers.etag]).toEqual([
      201,
      `/v1/orders/${orderId}`,
      '"1"',
    ]);
    expect(answer.json()).toMatchObject({
      orderId,
      status: 'placed',
      totals: { total: 4_990 },
      asOf: { version: 1, lagMs: 0 },
    });
    const read = await door.server.app.inject(`/v1/orders/${orderId.toUpperCase()}`);
    expect([read.statusCode, withoutAsOf(read.body)]).toEqual([200, withoutAsOf(answer.body)]);
  });

  it('reads nothing from the store', async () => {
    const reads: string[] = [];
    const door = await open({
      wrapStore: (store) => ({
        ...store,
        readStream: (slice) => (reads.push('stream'), store.readStream(slice)),
        findCommand: (...id) => (reads.push('command'), store.findCommand(...id)),
      }),
    });
    await place(door, 'key-1');
    expect(reads).toEqual([]);
  });

  it('puts a token into the token table and nowhere else', async () => {
    const door = await open();
    await place(door, 'key-1');
    const orderId = orderIdOf(tenant, 'key-1' as CommandId);
    expect(await door.paymentTokens.find(tenant, orderId, derivedId(orderId, 'payment/1'))).toBe('tok_visa');
    const { body } = await door.server.app.inject('/v1/events');
    expect(body).toContain('OrderPlaced');
    expect(body).not.toContain('tok_visa');
  });

  it('keeps tenants apart', async () => {
    const door = await open();
    const answer = await post(door, '/v1/orders', { body: order, headers: { 'x-tenant-id': 'shop-2' } });
    const url = answer.headers.location ?? '';
    expect((await door.server.app.inject(url)).statusCode).toBe(404);
    expect((await door.server.app.inject({ url, headers: { 'x-tenant-id': 'shop-2' } })).statusCode).toBe(200);
  });
});

describe('an Idempotency-Key', () => {
  it('used again gets the first answer without asOf, also after the order moved on', async () => {
    const door = await open();
    const first = await place(door, 'key-1');
    await post(door, `${first.headers.location ?? ''}/cancel`, { body: { reason: 'late' } });
    const again = await place(door, 'key-1');
    expect([again.statusCode, again.headers['idempotency-replayed'], again.headers.etag]).toEqual([201, 'true', '"1"']);
    expect(again.headers.location).toBe(first.headers.location);
    expect(again.json()).toEqual(withoutAsOf(first.body));
    expect(await countEvents(door)).toBe(2);
  });

  it('used again for a refused command gets the refusal again', async () => {
    const door = await open();
    const wrong = { ...order, payments: [{ method: 'card', amount: 1 }] };
    const first = await place(door, 'key-1', wrong);
    const again = await place(door, 'key-1', wrong);
    expect([first.statusCode, first.json<Problem>().code]).toEqual([422, 'TOTAL_MISMATCH']);
    expect([again.statusCode, again.json<Problem>().code]).toEqual([422, 'TOTAL_MISMATCH']);
    expect([first, again].map(({ headers }) => headers['idempotency-replayed'])).toEqual([undefined, 'true']);
  });

  it.each([
    ['another quantity', { ...order, lines: [{ sku: 'mug-blue', quantity: 3, unitPrice: 2_245 }] }],
    ['another token', { ...order, payments: [{ method: 'card', token: 'tok_other' }] }],
  ])('used with %s is refused', async (_title, other) => {
    const door = await open();
    await place(door, 'key-1');
    const answer = await place(door, 'key-1', other);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([422, 'IDEMPOTENCY_KEY_REUSED']);
    expect(await countEvents(door)).toBe(1);
  });

  it('whose first request still runs gets the first answer when it comes', async () => {
    const gate = Promise.withResolvers<undefined>();
    const door = await open({
      wrapStore: (store) => ({ ...store, append: (append) => gate.promise.then(() => store.append(append)) }),
    });
    const first = place(door, 'key-1');
    const twin = place(door, 'key-1');
    gate.resolve(undefined);
    expect((await first).headers['idempotency-replayed']).toBeUndefined();
    expect([(await twin).statusCode, (await twin).headers['idempotency-replayed']]).toEqual([201, 'true']);
    expect((await twin).json()).toEqual(withoutAsOf((await first).body));
  });

  it('whose first request runs for longer than 2 s gets 409', async () => {
    const gate = Promise.withResolvers<undefined>();
    const door = await open({
      wrapStore: (store) => ({ ...store, append: (append) => gate.promise.then(() => store.append(append)) }),
    });
    const first = place(door, 'key-1');
    const twin = await place(door, 'key-1');
    gate.resolve(undefined);
    expect([twin.statusCode, twin.json<Problem>().code]).toEqual([409, 'IDEMPOTENCY_KEY_IN_PROGRESS']);
    expect((await first).statusCode).toBe(201);
  });

  it('stays free where the store did not help', async () => {
    let isDown = true;
    const down = new OperationalFailure('OVERLOADED', 'full', { retryable: true });
    const door = await open({
      wrapStore: (store) => ({ ...store, append: (append) => (isDown ? Promise.reject(down) : store.append(append)) }),
    });
    const refused = await place(door, 'key-1');
    expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
    isDown = false;
    const answer = await place(door, 'key-1');
    expect([answer.statusCode, answer.headers['idempotency-replayed']]).toEqual([201, undefined]);
  });
});

describe('cancelling', () => {
  it('answers 200 with the cancelled order, and again so when repeated', async () => {
    const door = await open();
    const url = `${(await place(door, 'key-1')).headers.location ?? ''}/cancel`;
    const request = { body: { reason: 'changed my mind' }, headers: { 'idempotency-key': 'cancel-1' } };
    const first = await post(door, url, request);
    const again = await post(door, url, request);
    expect(first.json()).toMatchObject({ status: 'cancelled', cancelReason: 'changed my mind', version: 2 });
    expect([first.statusCode, first.headers.etag, again.headers['idempotency-replayed']]).toEqual([200, '"2"', 'true']);
    expect(again.json()).toEqual(withoutAsOf(first.body));
    const repeatedUnderAnotherKey = await post(door, url, { body: { reason: 'changed my mind' } });
    expect([repeatedUnderAnotherKey.statusCode, await countEvents(door)]).toEqual([200, 2]);
  });

  it.each([
    ['"1"', 200],
    ['*', 200],
    ['"2"', 412],
    ['"0"', 412],
    ['1', 400],
    ['W/"1"', 400],
  ])('with If-Match %s on version 1 gets %i', async (ifMatch, status) => {
    const door = await open();
    const url = `${(await place(door, 'key-1')).headers.location ?? ''}/cancel`;
    const answer = await post(door, url, { body: { reason: 'x' }, headers: { 'if-match': ifMatch } });
    expect(answer.statusCode).toBe(status);
  });

  it('asks for the receipt before the version', async () => {
    const door = await open();
    const url = `${(await place(door, 'key-1')).headers.location ?? ''}/cancel`;
    const request = { body: { reason: 'x' }, headers: { 'idempotency-key': 'cancel-1', 'if-match': '"1"' } };
    await post(door, url, request);
    expect((await post(door, url, request)).statusCode).toBe(200);
  });

  it.each([
    [randomUUID(), 404, 'ORDER_NOT_FOUND'],
    ['not-a-uuid', 400, 'INVALID_REQUEST'],
  ])('order %s gets %i', async (orderId, status, code) => {
    const door = await open();
    const answer = await post(door, `/v1/orders/${orderId}/cancel`, { body: { reason: 'x' } });
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code]);
  });
});

type BatchAnswer = {
  items: { commandId: string; status: number; replayed?: true; order?: OrderSummary; problem?: Problem }[];
};

describe('a batch', () => {
  it('answers each order by itself: one that is refused holds none back', async () => {
    const door = await open();
    await place(door, 'known');
    const orders = [
      { commandId: 'good', ...order },
      { commandId: 'mismatch', ...order, payments: [{ method: 'card', amount: 1 }] },
      { commandId: 'unknown-field', ...order, price: 1 },
      { commandId: 'bad-value', ...order, lines: [{ sku: 'a', quantity: 0, unitPrice: 1 }] },
      { commandId: 'bad-text', ...order, metadata: { a: '\u0000' } },
      { commandId: 'known', ...order },
      { commandId: 'good', ...order, customerId: 'other' },
    ];
    const answer = await post(door, '/v1/orders/batch', { body: { orders } });
    const { items } = answer.json<BatchAnswer>();
    expect(answer.statusCode).toBe(207);
    expect(items.map(({ commandId, status, problem }) => [commandId, status, problem?.code])).toEqual([
      ['good', 201, undefined],
      ['mismatch', 422, 'TOTAL_MISMATCH'],
      ['unknown-field', 400, 'INVALID_REQUEST'],
      ['bad-value', 422, 'INVALID_VALUE'],
      ['bad-text', 422, 'INVALID_VALUE'],
      ['known', 201, undefined],
      ['good', 422, 'IDEMPOTENCY_KEY_REUSED'],
    ]);
    expect(items.flatMap(({ problem }) => problem?.errors?.map(({ pointer }) => pointer) ?? [])).toEqual([
      '/orders/2/price',
      '/orders/3/lines/0/quantity',
      '/orders/4/metadata/a',
    ]);
    expect([items[0]?.replayed, items[5]?.replayed, items[0]?.order?.status]).toEqual([undefined, true, 'placed']);
    expect(await countEvents(door)).toBe(2);
  });

  it.each([
    ['no order', [], 422, '/orders'],
    ['501 orders', Array.from({ length: 501 }, (_, i) => ({ commandId: `c${i}`, ...order })), 422, '/orders'],
    ['an order without a command id', [{ commandId: 'a', ...order }, order], 400, '/orders/1/commandId'],
    ['a malformed command id', [{ ...order, commandId: 'a b' }], 422, '/orders/0/commandId'],
  ] as const)('of %s is refused as a whole', async (...row) => {
    const [, orders, status, pointer] = row;
    const door = await open();
    const answer = await post(door, '/v1/orders/batch', { body: { orders } });
    expect([answer.statusCode, answer.json<Problem>().errors?.[0]?.pointer, await countEvents(door)]).toEqual([
      status,
      pointer,
      0,
    ]);
  });

  it('takes 500 orders of more than 1 MiB together, and not more than 8 MiB', async () => {
    const door = await open();
    const big = (bytes: number) => ({
      metadata: Object.fromEntries([...Array(50).keys()].map((i) => [`k${i}`, 'x'.repeat(bytes)])),
    });
    const orders = (bytes: number) =>
      Array.from({ length: 500 }, (_, i) => ({ commandId: `c${i}`, ...order, ...big(bytes) }));
    const answer = await post(door, '/v1/orders/batch', { body: { orders: orders(100) } });
    expect(answer.json<BatchAnswer>().items.map(({ status }) => status)).toEqual(Array(500).fill(201));
    expect((await post(door, '/v1/orders/batch', { body: { orders: orders(400) } })).statusCode).toBe(413);
  });
});

describe('a historical order', () => {
  const historical = {
    customerId: 'customer-1',
    currency: 'BRL',
    lines: [{ sku: 'a', quantity: 1, unitPrice: 100 }],
    shippingAddress: { city: 'São Paulo' },
    payments: [{ method: 'card', amount: 90 }],
    occurredAt: '2017-10-02T10:56:33-03:00',
    facts: [
      { kind: 'paid', occurredAt: '2017-10-02T11:07:15-03:00', payment: 0 },
      { kind: 'shipped', occurredAt: '2017-10-04T19:55:00-03:00' },
      { kind: 'delivered', occurredAt: null },
    ],
  };

  it('comes in with what happened to it, in one append, and again without adding anything', async () => {
    const door = await open();
    const request = { body: historical, headers: { 'idempotency-key': 'olist-1' } };
    const answer = await post(door, '/v1/orders/backfill', request);
    expect(answer.json()).toMatchObject({
      status: 'delivered',
      origin: 'backfill',
      placedAt: '2017-10-02T13:56:33.000Z',
    });
    const events = await countEvents(door);
    expect((await post(door, '/v1/orders/backfill', request)).headers['idempotency-replayed']).toBe('true');
    expect(await countEvents(door)).toBe(events);
  });

  it.each([
    [{ kind: 'lost', occurredAt: null }, 400, '/facts/0'],
    [{ kind: 'paid', occurredAt: null }, 400, '/facts/0/payment'],
    [{ kind: 'shipped', occurredAt: null, carrier: 'x' }, 400, '/facts/0/carrier'],
    [{ kind: 'paid', occurredAt: 'yesterday', payment: 0 }, 422, '/facts/0/occurredAt'],
    [{ kind: 'shipped', occurredAt: '0001-01-01T00:00:00+14:00' }, 422, '/facts/0/occurredAt'],
    [{ kind: 'shipped', occurredAt: '9999-12-31T23:59:59-12:00' }, 422, '/facts/0/occurredAt'],
    [{ kind: 'paid', occurredAt: null, payment: 7 }, 422, '/facts/0/payment'],
    [{ kind: 'refunded', occurredAt: null, payment: 0, amount: 1 }, 422, '/facts/0/amount'],
  ])('with the fact %j is refused', async (fact, status, pointer) => {
    const door = await open();
    const answer = await post(door, '/v1/orders/backfill', { body: { ...historical, facts: [fact] } });
    expect([answer.statusCode, answer.json<Problem>().errors?.map((fault) => fault.pointer)]).toEqual([
      status,
      [pointer],
    ]);
    expect(await countEvents(door)).toBe(0);
  });
});

describe('reading', () => {
  it('answers 304 where the reader has the version, and 409 with Retry-After where the order is not that far', async () => {
    const door = await open();
    const url = (await place(door, 'key-1')).headers.location ?? '';
    const { app } = door.server;
    expect((await app.inject({ url, headers: { 'if-none-match': '"1"' } })).statusCode).toBe(304);
    const early = await app.inject(`${url}?minVersion=2&waitMs=50`);
    expect([early.statusCode, early.json<Problem>().code, early.headers['retry-after']]).toEqual([
      409,
      'NOT_YET_VISIBLE',
      '1',
    ]);
  });

  it('waits for the version that is asked for', async () => {
    const door = await open();
    const url = (await place(door, 'key-1')).headers.location ?? '';
    const waiting = door.server.app.inject(`${url}?minVersion=2&waitMs=5000`);
    await post(door, `${url}/cancel`, { body: { reason: 'x' } });
    expect((await waiting).json()).toMatchObject({ version: 2, status: 'cancelled' });
  });

  it('tells the history of an order and what became of a command', async () => {
    const door = await open();
    const url = (await place(door, 'a/b?c')).headers.location ?? '';
    const { app } = door.server;
    const { items, nextCursor } = (await app.inject(`${url}/events`)).json<{
      items: { type: string }[];
      nextCursor: null;
    }>();
    expect([items.map(({ type }) => type), nextCursor]).toEqual([['OrderPlaced'], null]);
    const command = await app.inject(`/v1/commands/${encodeURIComponent('a/b?c')}`);
    expect(command.json()).toMatchObject({ commandId: 'a/b?c', outcome: 'accepted', version: 1 });
  });

  it('pages through the log by checkpoint, each event once', async () => {
    const door = await open();
    for (const key of ['a', 'b', 'c']) await place(door, key);
    const seen: string[] = [];
    let after = '';
    for (;;) {
      const { body, headers } = await door.server.app.inject(`/v1/events?limit=2${after}`);
      expect(headers['content-type']).toMatch(/^application\/x-ndjson/);
      const lines = body
        .trimEnd()
        .split('\n')
        .map((text) => JSON.parse(text) as { commandId: string; checkpoint: string });
      if (lines.length === 1) break;
      seen.push(...lines.slice(0, -1).map(({ commandId }) => commandId));
      after = `&after=${encodeURIComponent(lines.at(-1)?.checkpoint ?? '')}`;
    }
    expect(seen).toEqual(['a', 'b', 'c']);
  });
});

describe('stock', () => {
  it('is received, adjusted and read under a percent-encoded SKU', async () => {
    const door = await open();
    const url = `/v1/stock/${encodeURIComponent('mug/blue%')}`;
    const receipt = { body: { quantity: 10 }, headers: { 'idempotency-key': 'r-1' } };
    const received = await post(door, `${url}/receipts`, receipt);
    expect([received.statusCode, received.json()]).toEqual([
      201,
      { sku: 'mug/blue%', onHand: 10, reserved: 0, available: 10, version: 1 },
    ]);
    const adjusted = await post(door, `${url}/adjustments`, { body: { delta: -3, reason: 'broken' } });
    expect([adjusted.statusCode, adjusted.json<{ onHand: number }>().onHand]).toEqual([201, 7]);
    const again = await post(door, `${url}/receipts`, receipt);
    expect([again.headers['idempotency-replayed'], again.json()]).toEqual(['true', received.json()]);
    expect((await door.server.app.inject(url)).json()).toMatchObject({ onHand: 7, version: 2 });
  });

  it('that is reserved cannot be counted away, and an untracked SKU has none', async () => {
    const door = await open();
    await post(door, '/v1/stock/mug/receipts', { body: { quantity: 2 } });
    const ids = {
      tenantId: tenant,
      orderId: orderIdOf(tenant, 'o' as CommandId),
      correlationId: 'c',
      causationId: null,
    };
    const reserve = (sku: string) =>
      door.inventory.door.reserve({ ...ids, sku, quantity: 2, commandId: `reserve-${sku}` as CommandId });
    expect(await reserve('mug')).toEqual({ outcome: 'reserved' });
    expect(await reserve('cup')).toEqual({ outcome: 'untracked' });
    const adjusted = await post(door, '/v1/stock/mug/adjustments', { body: { delta: -1, reason: 'broken' } });
    expect([adjusted.statusCode, adjusted.json<Problem>().code]).toEqual([409, 'STOCK_RESERVED']);
    expect((await door.server.app.inject('/v1/stock/cup')).json<Problem>().code).toBe('SKU_NOT_TRACKED');
  });
});

describe('what is personal or secret', () => {
  it('is in no answer, problem, log line or metric', async () => {
    const lines: string[] = [];
    const log = openLog({ role: 'test', level: 'trace', destination: { write: (text) => void lines.push(text) } });
    const bug = new Error('canary-street canary@example.org tok_canary');
    let fails = false;
    const door = await open({
      log,
      wrapStore: (store) => ({ ...store, append: (append) => (fails ? Promise.reject(bug) : store.append(append)) }),
    });
    const secret = {
      ...order,
      email: 'canary@example.org',
      shippingAddress: { name: 'canary', line1: 'canary-street 1', city: 'Berlin', postalCode: '10115', country: 'DE' },
      payments: [{ method: 'card', token: 'tok_canary' }],
    };
    const answers = [await place(door, 'k-1', secret), await place(door, 'k-2', { ...secret, canary: secret.email })];
    answers.push(await place(door, 'k-3', { ...secret, email: 'tok_canary', currency: 'canary-street' }));
    answers.push(await place(door, 'k-1', { ...secret, email: 'canary-2@example.org' }));
    fails = true;
    answers.push(await place(door, 'k-4', secret));
    for (const url of ['/v1/events?category=order', '/metrics', '/openapi.json', answers[0]?.headers.location ?? '']) {
      answers.push(await door.server.app.inject(url));
    }
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([201, 400, 422, 422, 500, 200, 200, 200, 200]);
    const said = answers.map(({ body }) => body.replace('"/canary"', '')).join() + lines.join();
    expect(lines.length).toBeGreaterThan(5);
    expect(said).not.toMatch(/canary/);
  });
});

describe('metrics', () => {
  it('expose every required name, and count what happened at the door', async () => {
    const door = await open();
    await place(door, 'key-1');
    await place(door, 'key-1');
    const { body, headers } = await door.server.app.inject('/metrics');
    expect(headers['content-type']).toMatch(/^application\/openmetrics-text; version=1.0.0/);
    for (const name of [
      'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/v1/orders",http_response_status_code="201"} 2',
      'http_requests_total{status="201"} 2',
      'http_request_duration_seconds_count 2',
      'order_created_total 0',
      'order_create_latency_seconds_count 1',
      '# TYPE order_status_change counter',
      '# TYPE order_duration_seconds histogram',
      'inventory_deduct_total 0',
      'inventory_deduct_success_total 0',
      'payment_success_rate 1',
      'shipping_delay_minutes_count 0',
      'command_dedupe_hits_total{door="http"} 1',
      'nodejs_eventloop_lag_seconds',
    ]) {
      expect(body).toContain(name);
    }
    expect(body.endsWith('# EOF\n')).toBe(true);
  });
});
