import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../infra/http-server/problem.ts';
import { openMemoryDoor } from './memory-door.ts';
import type { MemoryDoor } from './memory-door.ts';

// The HTTP rows of bad input: each gets its status, code and pointer within a second, stores nothing, and the process
// lives. Framing and limits that need a socket are in infra/http-server/http-server.test.ts.
let door: MemoryDoor;
beforeAll(async () => {
  door = await openMemoryDoor();
});
afterAll(() => door.server.close());

const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug', quantity: 1, unitPrice: 100 }],
  payments: [{ method: 'card' }],
};
const line = { sku: 'mug', quantity: 1, unitPrice: 100 };
const address = { name: 'A', line1: 'B', city: 'C', postalCode: 'D', country: 'DE' };

type Sent = { readonly url: string; readonly payload?: string; readonly headers?: Readonly<Record<string, string>> };
type Expected = readonly [status: number, code: string, ...pointers: string[]];

async function expectRefusal({ url, payload, headers }: Sent, [status, code, ...pointers]: Expected): Promise<void> {
  const startedMs = performance.now();
  const answer = await door.server.app.inject({
    method: payload === undefined ? 'GET' : 'POST',
    url,
    ...(payload === undefined ? {} : { payload }),
    headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID(), ...headers },
  });
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  const problem = answer.json<Problem>();
  expect([answer.statusCode, problem.code]).toEqual([status, code]);
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect((problem.errors ?? []).map(({ pointer }) => pointer)).toEqual(pointers);
  expect(answer.body).not.toMatch(/at .*\.ts:\d|select |insert /i);
  expect((await door.store.readLog({ after: null, limit: 10 })).events).toEqual([]);
  expect((await door.server.app.inject('/livez')).statusCode).toBe(200);
}

describe('a placement', () => {
  it.each<readonly [string, object | string, Expected]>([
    ['that is cut off', JSON.stringify(order).slice(0, -5), [400, 'MALFORMED_JSON']],
    ['that is empty', '', [400, 'MALFORMED_JSON']],
    ['that is null', 'null', [400, 'INVALID_REQUEST', '']],
    [
      'with a poisoned prototype',
      `{"__proto__":{"status":"paid"},${JSON.stringify(order).slice(1)}`,
      [400, 'MALFORMED_JSON'],
    ],
    ['that claims a status', { ...order, status: 'paid' }, [400, 'INVALID_REQUEST', '/status']],
    ['that claims an owner', { ...order, owner: 'me' }, [400, 'INVALID_REQUEST', '/owner']],
    [
      'whose line has a price',
      { ...order, lines: [{ ...line, price: 1 }] },
      [400, 'INVALID_REQUEST', '/lines/0/price'],
    ],
    ['without a customer', { ...order, customerId: undefined }, [400, 'INVALID_REQUEST', '/customerId']],
    ['of no lines', { ...order, lines: [] }, [422, 'INVALID_VALUE', '/lines']],
    ['of 501 lines', { ...order, lines: Array(501).fill(line) }, [422, 'INVALID_VALUE', '/lines']],
    ...[0, -1, 1.5, '1', null, 2 ** 53 + 2].map(
      (quantity) =>
        [
          `of ${JSON.stringify(quantity)} units`,
          { ...order, lines: [{ ...line, quantity }] },
          [422, 'INVALID_VALUE', '/lines/0/quantity'],
        ] as const,
    ),
    [
      'of 1e309 units',
      JSON.stringify(order).replace('"quantity":1', '"quantity":1e309'),
      [422, 'INVALID_VALUE', '/lines/0/quantity'],
    ],
    ['of NaN units', JSON.stringify(order).replace('"quantity":1', '"quantity":NaN'), [400, 'MALFORMED_JSON']],
    [
      'at a negative price',
      { ...order, lines: [{ ...line, unitPrice: -1 }] },
      [422, 'INVALID_VALUE', '/lines/0/unitPrice'],
    ],
    [
      'at a price of 2^53',
      { ...order, lines: [{ ...line, unitPrice: 2 ** 53 }] },
      [422, 'INVALID_VALUE', '/lines/0/unitPrice'],
    ],
    [
      'whose total overflows',
      { ...order, lines: [{ ...line, quantity: 3, unitPrice: 2 ** 53 - 1 }] },
      [422, 'TOTAL_MISMATCH'],
    ],
    ['whose total is negative', { ...order, discount: 101 }, [422, 'TOTAL_MISMATCH']],
    ['paid with another sum', { ...order, payments: [{ method: 'card', amount: 99 }] }, [422, 'TOTAL_MISMATCH']],
    [
      'with two payments without amounts',
      { ...order, payments: [{ method: 'card' }, { method: 'voucher' }] },
      [422, 'INVALID_VALUE', '/payments/0/amount'],
    ],
    ['in currency XXX', { ...order, currency: 'XXX' }, [422, 'INVALID_VALUE', '/currency']],
    ['in currency eur', { ...order, currency: 'eur' }, [422, 'INVALID_VALUE', '/currency']],
    [
      'in mixed currencies',
      { ...order, lines: [{ ...line, currency: 'USD' }] },
      [400, 'INVALID_REQUEST', '/lines/0/currency'],
    ],
    ['with NUL in a name', { ...order, lines: [{ ...line, name: 'a\0' }] }, [422, 'INVALID_VALUE', '/lines/0/name']],
    [
      'with half a surrogate pair in its address',
      { ...order, shippingAddress: { ...address, city: '\ud800' } },
      [422, 'INVALID_VALUE', '/shippingAddress/city'],
    ],
    ['with a bad metadata key', { ...order, metadata: { 'a\udfff': 'x' } }, [422, 'INVALID_VALUE', '/metadata']],
    ['with metadata that is no text', { ...order, metadata: { a: { b: 1 } } }, [422, 'INVALID_VALUE', '/metadata/a']],
    [
      'with 51 metadata',
      { ...order, metadata: Object.fromEntries([...Array(51).keys()].map((i) => [`k${i}`, ''])) },
      [422, 'INVALID_VALUE', '/metadata'],
    ],
    ['for a customer of 1 MB', { ...order, customerId: 'x'.repeat(1_000_000) }, [422, 'INVALID_VALUE', '/customerId']],
    ['for a zero-width customer', { ...order, customerId: 'a\u200bb' }, [422, 'INVALID_VALUE', '/customerId']],
    [
      'for a right-to-left SKU',
      { ...order, lines: [{ ...line, sku: '\u202egum' }] },
      [422, 'INVALID_VALUE', '/lines/0/sku'],
    ],
    ['with a malformed email', { ...order, email: 'nobody' }, [422, 'INVALID_VALUE', '/email']],
    [
      'to no country',
      { ...order, shippingAddress: { ...address, country: 'Germany' } },
      [422, 'INVALID_VALUE', '/shippingAddress/country'],
    ],
    [
      'to half an address',
      { ...order, shippingAddress: { city: 'C' } },
      [
        400,
        'INVALID_REQUEST',
        '/shippingAddress/name',
        '/shippingAddress/line1',
        '/shippingAddress/postalCode',
        '/shippingAddress/country',
      ],
    ],
    ...[
      '2026-13-01T00:00:00Z',
      '0001-01-01T00:00:00+14:00',
      '9999-12-31T23:59:59-12:00',
      '2026-01-01T00:00:00+16:00',
    ].map(
      (occurredAt) => [`at ${occurredAt}`, { ...order, occurredAt }, [422, 'INVALID_VALUE', '/occurredAt']] as const,
    ),
    [
      'that nests 10,000 deep',
      `{"metadata":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}}`,
      [400, 'INVALID_REQUEST', '/customerId', '/currency', '/lines', '/payments', '/metadata/a'],
    ],
  ])('%s is refused', (_title, body, expected) => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    return expectRefusal({ url: '/v1/orders', payload }, expected);
  });

  it.each<readonly [string, Readonly<Record<string, string>>, Expected]>([
    ['without a key', { 'idempotency-key': '' }, [400, 'IDEMPOTENCY_KEY_REQUIRED']],
    ['with a key of 256 characters', { 'idempotency-key': 'k'.repeat(256) }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['with two keys', { 'idempotency-key': 'a, b' }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['with a key of other letters', { 'idempotency-key': 'schlüssel' }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['of a malformed tenant', { 'x-tenant-id': '../other' }, [400, 'INVALID_TENANT']],
    ['with a malformed If-Match', { 'if-match': '"-1"' }, [400, 'INVALID_IF_MATCH']],
    ['at a version that it does not have', { 'if-match': '"1"' }, [412, 'VERSION_MISMATCH']],
    ['as text', { 'content-type': 'text/plain' }, [415, 'UNSUPPORTED_MEDIA_TYPE']],
    ['compressed', { 'content-encoding': 'gzip' }, [415, 'UNSUPPORTED_MEDIA_TYPE']],
  ])('%s is refused', (_title, headers, expected) =>
    expectRefusal({ url: '/v1/orders', payload: JSON.stringify(order), headers }, expected),
  );

  it('that asks for a dry run is refused as long as there is none, not executed', () =>
    expectRefusal({ url: '/v1/orders?dryRun=true', payload: JSON.stringify(order) }, [
      400,
      'INVALID_REQUEST',
      '/dryRun',
    ]));
});

describe('text that only looks dangerous', () => {
  it("is stored as it is: '; DROP TABLE, ../ and %00", async () => {
    const own = await openMemoryDoor();
    const texts = { a: "'; DROP TABLE events; --", b: '../../etc/passwd', c: '%00', d: '<script>', e: '🛒 שלום' };
    const answer = await own.server.app.inject({
      method: 'POST',
      url: '/v1/orders',
      payload: { ...order, metadata: texts },
      headers: { 'idempotency-key': "';DROP-TABLE" },
    });
    expect([answer.statusCode, answer.json<{ metadata: object }>().metadata]).toEqual([201, texts]);
    await own.server.close();
  });
});

describe('a read', () => {
  it.each<readonly [string, Expected]>([
    ['/v1/orders/not-a-uuid', [400, 'INVALID_REQUEST', '/orderId']],
    ['/v1/orders/9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55', [404, 'ORDER_NOT_FOUND']],
    ['/v1/orders/9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55/events', [404, 'ORDER_NOT_FOUND']],
    ['/v1/orders/9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55?minVersion=0', [400, 'INVALID_REQUEST', '/minVersion']],
    ['/v1/orders/9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55?waitMs=99999', [400, 'INVALID_REQUEST', '/waitMs']],
    ['/v1/orders?limit=1000000000', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=-1', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?status=lost', [400, 'INVALID_REQUEST', '/status']],
    ['/v1/orders?placedFrom=yesterday', [400, 'INVALID_REQUEST', '/placedFrom']],
    ['/v1/orders?placedFrom=0001-01-01T00:00:00%2B14:00', [400, 'INVALID_REQUEST', '/placedFrom']],
    ['/v1/orders?placedTo=9999-12-31T23:59:59-12:00', [400, 'INVALID_REQUEST', '/placedTo']],
    ['/v1/orders?placedTo=2026-01-01T00:00:00-23:59', [400, 'INVALID_REQUEST', '/placedTo']],
    ['/v1/orders?cursor=-1', [400, 'INVALID_CURSOR']],
    [`/v1/orders?cursor=${Buffer.alloc(16).toString('base64url')}WyJhIiwiYiJd`, [400, 'INVALID_CURSOR']],
    ['/v1/events?after=0', [400, 'INVALID_CURSOR']],
    ['/v1/events?after=00000000.1.1', [400, 'INVALID_CURSOR']],
    ['/v1/events?limit=5001', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/events?category=users', [400, 'INVALID_REQUEST', '/category']],
    ['/v1/events?from=0001-01-01T00:00:00%2B14:00', [400, 'INVALID_REQUEST', '/from']],
    ['/v1/events?from=2026-01-01T00:00:00%2B16:00', [400, 'INVALID_REQUEST', '/from']],
    ['/v1/events?to=9999-12-31T23:59:59-12:00', [400, 'INVALID_REQUEST', '/to']],
    ['/v1/events?types=OrderLost', [400, 'INVALID_REQUEST', '/types']],
    ['/v1/commands/unknown', [404, 'COMMAND_NOT_FOUND']],
    ['/v1/commands/%00', [400, 'INVALID_REQUEST', '/commandId']],
    ['/v1/stock/unknown', [404, 'SKU_NOT_TRACKED']],
    [`/v1/stock/${'x'.repeat(129)}`, [400, 'INVALID_REQUEST', '/sku']],
    [`/v1/stock/${'x'.repeat(5_000)}`, [400, 'INVALID_REQUEST']],
    ['/v1/stock/a%00b', [400, 'INVALID_REQUEST', '/sku']],
    ['/v1/nothing', [404, 'NOT_FOUND']],
  ])('of %s is refused', (url, expected) => expectRefusal({ url }, expected));
});

describe('a stock command', () => {
  it.each<readonly [string, object, Expected]>([
    ['/v1/stock/mug/receipts', { quantity: 0 }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', { quantity: 2 ** 53 }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', {}, [400, 'INVALID_REQUEST', '/quantity']],
    ['/v1/stock/mug/adjustments', { delta: 0, reason: 'x' }, [422, 'INVALID_VALUE', '/delta']],
    ['/v1/stock/mug/adjustments', { delta: 1, reason: 'x' }, [404, 'SKU_NOT_TRACKED']],
    ['/v1/stock/mug/adjustments', { delta: 1, reason: 'a\0' }, [422, 'INVALID_VALUE', '/reason']],
  ])('%s with %j is refused', (url, body, expected) => expectRefusal({ url, payload: JSON.stringify(body) }, expected));
});
