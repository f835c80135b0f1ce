import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Problem } from '../../infra/http-server/problem.ts';
import { openMemoryDoor } from './memory-door.ts';
import type { MemoryDoor } from './memory-door.ts';

// Each HTTP row of bad input, by its name there: it gets its status, code and pointers within a second (a twin in
// flight: 2.5 s), stores nothing, tells nothing of the inside, and the next caller is served. The rows that need a socket
// are walked by infra/http-server/framing.test.ts.
let door: MemoryDoor;
/** Of another tenant, so that the log is not empty and somebody has something to hide. */
let foreignOrder: string;
beforeAll(async () => {
  door = await openMemoryDoor();
  const answer = await door.server.app.inject({
    ...placement,
    headers: { ...placement.headers, 'idempotency-key': 'of-the-owner', 'x-tenant-id': 'owner' },
  });
  foreignOrder = answer.json<{ orderId: string }>().orderId;
});
afterAll(() => door.server.close());

const line = { sku: 'mug', quantity: 1, unitPrice: 100 };
const order = { customerId: 'customer-1', currency: 'EUR', lines: [line], payments: [{ method: 'card' }] };
const text = JSON.stringify(order);
const address = { name: 'A', line1: 'B', city: 'C', postalCode: 'D', country: 'DE' };
const unknownOrder = '9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55';
const placement = {
  method: 'POST',
  url: '/v1/orders',
  payload: text,
  headers: { 'content-type': 'application/json' },
} as const;

type Sent = { readonly url: string; readonly payload?: string | Buffer; readonly headers?: Headers };
type Headers = Readonly<Record<string, string>>;
type Expected = readonly [status: number, code: string, ...pointers: string[]];

async function expectRefusal(sent: Sent, expected: Expected): Promise<void> {
  await refusalOf(sent, expected);
}

async function refusalOf({ url, payload, headers }: Sent, [status, code, ...pointers]: Expected): Promise<Problem> {
  const before = await stored();
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
  expect(answer.body).not.toMatch(/at .*\.ts:\d|node_modules|select |insert /i);
  expect(answer.body.length).toBeLessThan(32 * 1024);
  expect(await stored()).toEqual(before);
  await expectService();
  return problem;
}

async function stored(): Promise<unknown> {
  const { events } = await door.store.readLog({ after: null, limit: 100 });
  const tracked = await door.server.app.inject('/v1/stock/mug');
  return [events, tracked.statusCode];
}

/** A placement in a door of its own would prove less: this one took the bad input. The same key again adds nothing. */
async function expectService(): Promise<void> {
  const headers = { ...placement.headers, 'idempotency-key': 'of-the-owner', 'x-tenant-id': 'owner' };
  expect((await door.server.app.inject({ ...placement, headers })).statusCode).toBe(201);
}

const expectPlacementRefused = (body: object | string | Buffer, expected: Expected) =>
  expectRefusal(
    { url: '/v1/orders', payload: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body) },
    expected,
  );

type BodyRow = readonly [title: string, body: object | string | Buffer, expected: Expected];

describe('HTTP row: truncated or invalid JSON; wrong content type; empty body', () => {
  it.each<BodyRow>([
    ['cut off', text.slice(0, -5), [400, 'MALFORMED_JSON']],
    ['of nothing', '', [400, 'MALFORMED_JSON']],
    ['of blanks', '  ', [400, 'MALFORMED_JSON']],
    ['that goes on after its end', `${text}{}`, [400, 'MALFORMED_JSON']],
    ['with a comma too many', text.replace('}', ',}'), [400, 'MALFORMED_JSON']],
    ['with a comment', `/* */${text}`, [400, 'MALFORMED_JSON']],
    ['in single quotes', text.replaceAll('"', "'"), [400, 'MALFORMED_JSON']],
    ['that is null', 'null', [400, 'INVALID_REQUEST', '']],
    ['that is an array', '[]', [400, 'INVALID_REQUEST', '']],
    ['that is a text', '"order"', [400, 'INVALID_REQUEST', '']],
    ['that is not UTF-8', Buffer.from(text.replace('mug', 'm\u00fcg'), 'latin1'), [400, 'MALFORMED_JSON']],
    ['in UTF-16', Buffer.from(text, 'utf16le'), [400, 'MALFORMED_JSON']],
  ])('%s is refused', (_title, body, expected) => expectPlacementRefused(body, expected));

  it.each<readonly [string, Headers, Expected]>([
    ['as text', { 'content-type': 'text/plain' }, [415, 'UNSUPPORTED_MEDIA_TYPE']],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, [415, 'UNSUPPORTED_MEDIA_TYPE']],
    ['as nothing known', { 'content-type': '///' }, [415, 'UNSUPPORTED_MEDIA_TYPE']],
    ['as JSON of another kind', { 'content-type': 'application/json-patch+json' }, [415, 'UNSUPPORTED_MEDIA_TYPE']],
  ])('%s is refused', (_title, headers, expected) =>
    expectRefusal({ url: '/v1/orders', payload: text, headers }, expected),
  );
});

describe('HTTP row: body over the limit; gzip bomb', () => {
  it.each<readonly [string, string, string]>([
    ['an order of 1 MiB and a byte', '/v1/orders', text.padEnd(1024 * 1024 + 1)],
    ['a historical order of 1 MiB and a byte', '/v1/orders/backfill', text.padEnd(1024 * 1024 + 1)],
    ['a batch of 8 MiB and a byte', '/v1/orders/batch', text.padEnd(8 * 1024 * 1024 + 1)],
  ])('%s is refused', (_title, url, payload) => expectRefusal({ url, payload }, [413, 'PAYLOAD_TOO_LARGE']));

  it('a compressed body is refused, however small', () =>
    expectRefusal({ url: '/v1/orders', payload: text, headers: { 'content-encoding': 'gzip' } }, [
      415,
      'UNSUPPORTED_MEDIA_TYPE',
    ]));
});

const fields = (count: number) => Array.from({ length: count }, (_, i) => `"k${i}":"x"`).join();

describe('HTTP row: __proto__, constructor.prototype, duplicate keys, depth 10^4, 10^5 keys', () => {
  it.each<BodyRow>([
    ['__proto__', `{"__proto__":{"status":"paid"},${text.slice(1)}`, [400, 'MALFORMED_JSON']],
    ['__proto__ in escapes', `{"\\u005f_proto__":{"status":"paid"},${text.slice(1)}`, [400, 'MALFORMED_JSON']],
    ['__proto__ in metadata', `{"metadata":{"__proto__":"x"},${text.slice(1)}`, [400, 'MALFORMED_JSON']],
    [
      'constructor.prototype',
      `{"constructor":{"prototype":{"status":"paid"}},${text.slice(1)}`,
      [400, 'MALFORMED_JSON'],
    ],
    ['a field twice', `${text.slice(0, -1)},"customerId":"other"}`, [400, 'INVALID_REQUEST', '/customerId']],
    ['a field twice with one value', `{"currency":"EUR",${text.slice(1)}`, [400, 'INVALID_REQUEST', '/currency']],
    ['a field twice in escapes', `{"c\\u0075rrency":"USD",${text.slice(1)}`, [400, 'INVALID_REQUEST', '/currency']],
    [
      'a price twice',
      text.replace('"unitPrice":100', '"unitPrice":100,"unitPrice":1'),
      [400, 'INVALID_REQUEST', '/lines/0/unitPrice'],
    ],
    [
      'metadata twice',
      `{"metadata":{"a":"1","b":"2","a":"3"},${text.slice(1)}`,
      [400, 'INVALID_REQUEST', '/metadata/a'],
    ],
    [
      'depth 10^4',
      `{"metadata":${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)},${text.slice(1)}`,
      [400, 'INVALID_REQUEST', `/metadata${'/a'.repeat(31)}`],
    ],
    ['depth 10^4 of arrays', '['.repeat(10_000), [400, 'INVALID_REQUEST', '/0'.repeat(32)]],
    ['10^5 keys', `{${fields(60_000)}}`, [400, 'INVALID_REQUEST', '']],
    [
      '10^5 keys of metadata',
      `{"metadata":{${fields(60_000)}},${text.slice(1)}`,
      [400, 'INVALID_REQUEST', '/metadata'],
    ],
    ['1,000 keys of metadata', `{"metadata":{${fields(1_000)}},${text.slice(1)}`, [422, 'INVALID_VALUE', '/metadata']],
  ])('%s is refused', (_title, body, expected) => expectPlacementRefused(body, expected));

  it.each<readonly [string, string, Expected]>([
    [
      'a command id twice',
      `{"commandId":"a","commandId":"b",${text.slice(1)}`,
      [400, 'INVALID_REQUEST', '/orders/1/commandId'],
    ],
    [
      'depth',
      `{"commandId":"a","metadata":${'['.repeat(40)}`,
      [400, 'INVALID_REQUEST', `/orders/1/metadata${'/0'.repeat(29)}`],
    ],
    ['10^5 keys', `{${fields(300_000)}`, [400, 'INVALID_REQUEST', '/orders/1']],
  ])('%s in an order of a batch refuses the batch: nobody knows what the others say', (_title, item, expected) =>
    expectRefusal(
      { url: '/v1/orders/batch', payload: `{"orders":[{"commandId":"c",${text.slice(1)},${item}]}` },
      expected,
    ),
  );
});

describe('HTTP row: unknown field (status, owner, price: mass assignment)', () => {
  it.each<readonly [string, string, object, Expected]>([
    ['a status', '/v1/orders', { ...order, status: 'paid' }, [400, 'INVALID_REQUEST', '/status']],
    ['an owner', '/v1/orders', { ...order, owner: 'me' }, [400, 'INVALID_REQUEST', '/owner']],
    ['a tenant', '/v1/orders', { ...order, tenantId: 'owner' }, [400, 'INVALID_REQUEST', '/tenantId']],
    ['an id', '/v1/orders', { ...order, orderId: unknownOrder }, [400, 'INVALID_REQUEST', '/orderId']],
    ['a total', '/v1/orders', { ...order, totals: { total: 1 } }, [400, 'INVALID_REQUEST', '/totals']],
    [
      'a price of a line',
      '/v1/orders',
      { ...order, lines: [{ ...line, price: 1 }] },
      [400, 'INVALID_REQUEST', '/lines/0/price'],
    ],
    [
      'a captured payment',
      '/v1/orders',
      { ...order, payments: [{ method: 'card', status: 'captured' }] },
      [400, 'INVALID_REQUEST', '/payments/0/status'],
    ],
    ['a field that every object has', '/v1/orders', { ...order, toString: 'x' }, [400, 'INVALID_REQUEST', '/toString']],
    ['a key of 300 letters', '/v1/orders', { ...order, ['k'.repeat(300)]: 1 }, [400, 'INVALID_REQUEST', '']],
    [
      'a token in a historical order',
      '/v1/orders/backfill',
      { ...order, facts: [], payments: [{ method: 'card', token: 'x' }] },
      [400, 'INVALID_REQUEST', '/payments/0/token'],
    ],
    [
      'another field of a cancel',
      `/v1/orders/${unknownOrder}/cancel`,
      { reason: 'x', refund: 1 },
      [400, 'INVALID_REQUEST', '/refund'],
    ],
    [
      'another field of a batch',
      '/v1/orders/batch',
      { orders: [{ ...order, commandId: 'c' }], all: true },
      [400, 'INVALID_REQUEST', '/all'],
    ],
    [
      'an available quantity',
      '/v1/stock/mug/receipts',
      { quantity: 1, available: 9 },
      [400, 'INVALID_REQUEST', '/available'],
    ],
  ])('%s is refused', (...row) => {
    const [, url, body, expected] = row;
    return expectRefusal({ url, payload: JSON.stringify(body) }, expected);
  });

  it.each<BodyRow>([
    ['without a customer', { ...order, customerId: undefined }, [400, 'INVALID_REQUEST', '/customerId']],
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
  ])('a placement %s is refused: a field that is missing', (_title, body, expected) =>
    expectPlacementRefused(body, expected),
  );
});

describe('HTTP row: quantity 0, -1, 1.5, 1e309, NaN string, 2^53+1; amount overflow; currency XXX, mixed currencies', () => {
  it.each<readonly [string, Expected]>([
    ...['0', '-1', '1.5', '1e309', '-0', '"NaN"', '"1"', 'null', 'true', '[1]', '9007199254740993', '1000001'].map(
      (quantity) => [quantity, [422, 'INVALID_VALUE', '/lines/0/quantity']] as const,
    ),
    ...['NaN', 'Infinity', '01', '+1', '1.', '0x10'].map((quantity) => [quantity, [400, 'MALFORMED_JSON']] as const),
  ])('quantity %s is refused', (quantity, expected) =>
    expectPlacementRefused(text.replace('"quantity":1', `"quantity":${quantity}`), expected),
  );

  it.each<BodyRow>([
    ['no lines', { ...order, lines: [] }, [422, 'INVALID_VALUE', '/lines']],
    ['501 lines', { ...order, lines: Array(501).fill(line) }, [422, 'INVALID_VALUE', '/lines']],
    [
      'a negative price',
      { ...order, lines: [{ ...line, unitPrice: -1 }] },
      [422, 'INVALID_VALUE', '/lines/0/unitPrice'],
    ],
    [
      'a price of 2^53',
      { ...order, lines: [{ ...line, unitPrice: 2 ** 53 }] },
      [422, 'INVALID_VALUE', '/lines/0/unitPrice'],
    ],
    ['a negative tax', { ...order, lines: [{ ...line, tax: -1 }] }, [422, 'INVALID_VALUE', '/lines/0/tax']],
    [
      'an overflowing line',
      { ...order, lines: [{ ...line, quantity: 3, unitPrice: 2 ** 53 - 1 }] },
      [422, 'TOTAL_MISMATCH'],
    ],
    [
      'overflowing lines together',
      { ...order, lines: Array(500).fill({ ...line, quantity: 1_000_000, unitPrice: 2 ** 53 - 1 }) },
      [422, 'TOTAL_MISMATCH'],
    ],
    ['an overflowing fee', { ...order, shippingFee: 2 ** 53 - 1 }, [422, 'TOTAL_MISMATCH']],
    ['a negative total', { ...order, discount: 101 }, [422, 'TOTAL_MISMATCH']],
    ['a payment of another sum', { ...order, payments: [{ method: 'card', amount: 99 }] }, [422, 'TOTAL_MISMATCH']],
    [
      'two payments without amounts',
      { ...order, payments: [{ method: 'card' }, { method: 'voucher' }] },
      [422, 'INVALID_VALUE', '/payments/0/amount'],
    ],
    ['currency XXX', { ...order, currency: 'XXX' }, [422, 'INVALID_VALUE', '/currency']],
    ['currency eur', { ...order, currency: 'eur' }, [422, 'INVALID_VALUE', '/currency']],
    [
      'mixed currencies',
      { ...order, lines: [{ ...line, currency: 'USD' }] },
      [400, 'INVALID_REQUEST', '/lines/0/currency'],
    ],
    [
      'mixed currencies of payments',
      { ...order, payments: [{ method: 'card', currency: 'USD' }] },
      [400, 'INVALID_REQUEST', '/payments/0/currency'],
    ],
    ...[
      '2026-13-01T00:00:00Z',
      '2026-02-30T00:00:00Z',
      '0001-01-01T00:00:00+14:00',
      '9999-12-31T23:59:59-12:00',
      '2026-01-01T00:00:00+16:00',
      'yesterday',
    ].map(
      (occurredAt) =>
        [`the time ${occurredAt}`, { ...order, occurredAt }, [422, 'INVALID_VALUE', '/occurredAt']] as const,
    ),
  ])('%s is refused', (_title, body, expected) => expectPlacementRefused(body, expected));

  it.each<readonly [string, object, Expected]>([
    ['/v1/stock/mug/receipts', { quantity: 0 }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', { quantity: -1 }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', { quantity: 1.5 }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', { quantity: 'NaN' }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', { quantity: 2 ** 53 }, [422, 'INVALID_VALUE', '/quantity']],
    ['/v1/stock/mug/receipts', {}, [400, 'INVALID_REQUEST', '/quantity']],
    ['/v1/stock/mug/adjustments', { delta: 0, reason: 'x' }, [422, 'INVALID_VALUE', '/delta']],
    ['/v1/stock/mug/adjustments', { delta: 1, reason: 'x' }, [404, 'SKU_NOT_TRACKED']],
  ])('%s with %j is refused', (url, body, expected) => expectRefusal({ url, payload: JSON.stringify(body) }, expected));
});

describe("HTTP row: lone surrogates, NUL, 1 MB string, RTL or zero-width ids, '; DROP TABLE, ../, %00", () => {
  it.each<BodyRow>([
    ['NUL in a name', { ...order, lines: [{ ...line, name: 'a\0' }] }, [422, 'INVALID_VALUE', '/lines/0/name']],
    ['NUL in a metadata key', { ...order, metadata: { 'a\0': 'x' } }, [422, 'INVALID_VALUE', '/metadata']],
    [
      'NUL in a token',
      { ...order, payments: [{ method: 'card', token: 'a\0' }] },
      [422, 'INVALID_VALUE', '/payments/0/token'],
    ],
    [
      'half a surrogate pair in an address',
      { ...order, shippingAddress: { ...address, city: '\ud800' } },
      [422, 'INVALID_VALUE', '/shippingAddress/city'],
    ],
    [
      'half a surrogate pair in a metadata key',
      { ...order, metadata: { 'a\udfff': 'x' } },
      [422, 'INVALID_VALUE', '/metadata'],
    ],
    [
      'a surrogate pair the wrong way',
      { ...order, metadata: { a: '\udfff\ud800' } },
      [422, 'INVALID_VALUE', '/metadata/a'],
    ],
    ['metadata that is no text', { ...order, metadata: { a: { b: 1 } } }, [422, 'INVALID_VALUE', '/metadata/a']],
    ['a customer of 1 MB', { ...order, customerId: 'x'.repeat(1_000_000) }, [422, 'INVALID_VALUE', '/customerId']],
    ['an email of 1 MB', { ...order, email: `${'x'.repeat(1_000_000)}@y.z` }, [422, 'INVALID_VALUE', '/email']],
    ['a time of 1 MB', { ...order, occurredAt: '2'.repeat(1_000_000) }, [422, 'INVALID_VALUE', '/occurredAt']],
    ['metadata of 1 MB', { ...order, metadata: { a: 'x'.repeat(1_000_000) } }, [422, 'INVALID_VALUE', '/metadata/a']],
    ['a zero-width customer', { ...order, customerId: 'a\u200bb' }, [422, 'INVALID_VALUE', '/customerId']],
    [
      'a right-to-left SKU',
      { ...order, lines: [{ ...line, sku: '\u202egum' }] },
      [422, 'INVALID_VALUE', '/lines/0/sku'],
    ],
    ['a customer of two lines', { ...order, customerId: 'a\r\nb' }, [422, 'INVALID_VALUE', '/customerId']],
    ['a malformed email', { ...order, email: 'nobody' }, [422, 'INVALID_VALUE', '/email']],
    [
      'no country',
      { ...order, shippingAddress: { ...address, country: 'Germany' } },
      [422, 'INVALID_VALUE', '/shippingAddress/country'],
    ],
  ])('%s is refused', (_title, body, expected) => expectPlacementRefused(body, expected));

  it.each<readonly [string, Expected]>([
    ['/v1/stock/a%00b', [400, 'INVALID_REQUEST', '/sku']],
    ['/v1/stock/%E2%80%8B', [400, 'INVALID_REQUEST', '/sku']],
    ['/v1/stock/%ED%A0%80', [400, 'INVALID_REQUEST']],
    ['/v1/stock/%zz', [400, 'INVALID_REQUEST']],
    ['/v1/stock/%0d%0aSet-Cookie:x', [400, 'INVALID_REQUEST', '/sku']],
    ['/v1/stock/..%2f..%2fetc%2fpasswd', [404, 'SKU_NOT_TRACKED']],
    ['/v1/stock/%27;DROP%20TABLE', [400, 'INVALID_REQUEST', '/sku']],
    ['/v1/stock/%27;DROP-TABLE', [404, 'SKU_NOT_TRACKED']],
    [`/v1/stock/${'x'.repeat(129)}`, [400, 'INVALID_REQUEST', '/sku']],
    [`/v1/stock/${'x'.repeat(5_000)}`, [400, 'INVALID_REQUEST']],
    ['/v1/commands/%00', [400, 'INVALID_REQUEST', '/commandId']],
    ['/v1/commands/unknown', [404, 'COMMAND_NOT_FOUND']],
    ['/v1/orders/../../etc/passwd', [404, 'NOT_FOUND']],
    ['/v1/orders/..%2f..%2fetc%2fpasswd', [400, 'INVALID_REQUEST', '/orderId']],
    ['/v1/orders/%00', [400, 'INVALID_REQUEST', '/orderId']],
    ['/v1/orders?customerId=%00', [400, 'INVALID_REQUEST']],
    ['/v1/events?types=%00', [400, 'INVALID_REQUEST']],
    ['/v1/nothing', [404, 'NOT_FOUND']],
  ])('%s is refused', (url, expected) => expectRefusal({ url }, expected));

  it("text that only looks dangerous is stored as it is: '; DROP TABLE, ../ and %00", async () => {
    const own = await openMemoryDoor();
    const texts = {
      a: "'; DROP TABLE events; --",
      b: '../../etc/passwd',
      c: '%00',
      d: '<script>',
      e: '🛒 \u202eשלום\u200b',
    };
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

describe('HTTP row: id not a UUID; foreign order id; unknown id', () => {
  const paths = [
    ['GET', ''],
    ['GET', '/events'],
    ['POST', '/cancel'],
  ] as const;
  const sent = (method: string) => (method === 'POST' ? { payload: JSON.stringify({ reason: 'x' }) } : {});

  it.each(paths)('%s /v1/orders/{id}%s with an id that is no UUID is 400', async (method, path) => {
    for (const id of ['not-a-uuid', unknownOrder.slice(1), `${unknownOrder}0`, `{${unknownOrder}}`, '1']) {
      await expectRefusal({ url: `/v1/orders/${id}${path}`, ...sent(method) }, [400, 'INVALID_REQUEST', '/orderId']);
    }
  });

  // That it takes as long too is measured by loadtest/fuzz/not-found-times.ts, on the real stores.
  it.each(paths)(
    '%s /v1/orders/{id}%s says the same 404 of a foreign order as of one that never was',
    async (method, path) => {
      const [foreign, unknown] = [foreignOrder, unknownOrder].map(async (id) => {
        const {
          instance,
          traceId: _,
          ...same
        } = await refusalOf({ url: `/v1/orders/${id}${path}`, ...sent(method) }, [404, 'ORDER_NOT_FOUND']);
        expect(instance).toBe(`/v1/orders/${id}${path}`);
        return JSON.stringify(same).replaceAll(id, '{id}');
      });
      expect(await foreign).toEqual(await unknown);
    },
  );

  it('a command of another tenant is as unknown', () =>
    expectRefusal({ url: '/v1/commands/of-the-owner' }, [404, 'COMMAND_NOT_FOUND']));
});

describe('HTTP row: Idempotency-Key missing, 300 chars, CRLF, reused with other body, in progress', () => {
  it.each<readonly [string, Headers, Expected]>([
    ['without a key', { 'idempotency-key': '' }, [400, 'IDEMPOTENCY_KEY_REQUIRED']],
    ['with a key of 256 characters', { 'idempotency-key': 'k'.repeat(256) }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['with a key of 300 characters', { 'idempotency-key': 'k'.repeat(300) }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['with two keys', { 'idempotency-key': 'a, b' }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['with CR and LF in its key', { 'idempotency-key': 'a\r\nx-tenant-id: owner' }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    ['with a key of other letters', { 'idempotency-key': 'schlüssel' }, [400, 'IDEMPOTENCY_KEY_INVALID']],
    [
      'with a key of another body',
      { 'idempotency-key': 'of-the-owner', 'x-tenant-id': 'owner' },
      [422, 'IDEMPOTENCY_KEY_REUSED'],
    ],
    ['of a malformed tenant', { 'x-tenant-id': '../other' }, [400, 'INVALID_TENANT']],
    ['of a tenant of 65 characters', { 'x-tenant-id': 't'.repeat(65) }, [400, 'INVALID_TENANT']],
    ['of no tenant', { 'x-tenant-id': '' }, [400, 'INVALID_TENANT']],
  ])('a placement %s is refused', (_title, headers, expected) =>
    expectRefusal({ url: '/v1/orders', payload: JSON.stringify({ ...order, reference: 'r' }), headers }, expected),
  );

  it.each([
    '/v1/orders/backfill',
    `/v1/orders/${unknownOrder}/cancel`,
    '/v1/stock/mug/receipts',
    '/v1/stock/mug/adjustments',
  ])('POST %s without a key is refused', async (url) => {
    const bodies = {
      backfill: { ...order, facts: [] },
      cancel: { reason: 'x' },
      receipts: { quantity: 1 },
      adjustments: { delta: 1, reason: 'x' },
    };
    const body = bodies[url.split('/').at(-1) as keyof typeof bodies];
    const headers = { 'idempotency-key': '' };
    await expectRefusal({ url, payload: JSON.stringify(body), headers }, [400, 'IDEMPOTENCY_KEY_REQUIRED']);
  });

  it.each([
    ['ends soon is answered as the first', 50, 201],
    ['takes longer than 2 s is answered 409', 60_000, 409],
  ] as const)('a twin whose first request %s, within 2.5 s', async (...row) => {
    const [, takesMs, status] = row;
    const gate = Promise.withResolvers<undefined>();
    const own = await openMemoryDoor({
      wrapStore: (store) => ({ ...store, append: (append) => gate.promise.then(() => store.append(append)) }),
    });
    const place = async () =>
      await own.server.app.inject({ ...placement, headers: { ...placement.headers, 'idempotency-key': 'twin' } });
    const opens = setTimeout(() => gate.resolve(undefined), takesMs);
    const first = place();
    const startedMs = performance.now();
    const twin = await place();
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    clearTimeout(opens);
    gate.resolve(undefined);
    expect([twin.statusCode, (await first).statusCode]).toEqual([status, 201]);
    expect((await own.store.readLog({ after: null, limit: 10 })).events).toHaveLength(1);
    await own.server.close();
  });
});

describe('HTTP row: If-Match stale, absent, *', () => {
  it.each<readonly [string, Expected]>([
    ['"1"', [412, 'VERSION_MISMATCH']],
    ['"0", "1"', [400, 'INVALID_IF_MATCH']],
    ['"-1"', [400, 'INVALID_IF_MATCH']],
    ['"1e3"', [400, 'INVALID_IF_MATCH']],
    ['"9999999999999999"', [400, 'INVALID_IF_MATCH']],
    ['1', [400, 'INVALID_IF_MATCH']],
    ['W/"1"', [400, 'INVALID_IF_MATCH']],
    ['', [400, 'INVALID_IF_MATCH']],
  ])('If-Match %s on an order that is not there is refused', (ifMatch, expected) =>
    expectRefusal({ url: '/v1/orders', payload: text, headers: { 'if-match': ifMatch } }, expected),
  );

  it.each([
    ['stale', '"7"', 412],
    ['absent', undefined, 200],
    ['*', '*', 200],
  ] as const)('%s: a cancel at version 1 with %s gets %i', async (...row) => {
    const [, ifMatch, status] = row;
    const own = await openMemoryDoor();
    const call = (url: string, payload: object, headers: Headers) =>
      own.server.app.inject({ method: 'POST', url, payload, headers: { 'idempotency-key': randomUUID(), ...headers } });
    const placed = await call('/v1/orders', order, {});
    const url = `${String(placed.headers.location)}/cancel`;
    const answer = await call(url, { reason: 'x' }, ifMatch === undefined ? {} : { 'if-match': ifMatch });
    expect(answer.statusCode).toBe(status);
    expect((await own.store.readLog({ after: null, limit: 10 })).events).toHaveLength(status === 200 ? 2 : 1);
    await own.server.close();
  });
});

describe('HTTP row: page size 10^9, negative cursor, forged cursor', () => {
  const ours = Buffer.alloc(16);
  it.each<readonly [string, Expected]>([
    ['/v1/orders?limit=1000000000', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=-1', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=0', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=1.5', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=1e2', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit=1&limit=2', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/orders?limit[gte]=1', [400, 'INVALID_REQUEST', '/limit[gte]']],
    ['/v1/orders?__proto__=1', [400, 'INVALID_REQUEST', '/__proto__']],
    ['/v1/orders?status=lost', [400, 'INVALID_REQUEST', '/status']],
    ['/v1/orders?colour=red', [400, 'INVALID_REQUEST', '/colour']],
    ['/v1/orders?placedFrom=yesterday', [400, 'INVALID_REQUEST', '/placedFrom']],
    ['/v1/orders?placedFrom=0001-01-01T00:00:00%2B14:00', [400, 'INVALID_REQUEST', '/placedFrom']],
    ['/v1/orders?placedTo=9999-12-31T23:59:59-12:00', [400, 'INVALID_REQUEST', '/placedTo']],
    ['/v1/orders?placedTo=2026-01-01T00:00:00-23:59', [400, 'INVALID_REQUEST', '/placedTo']],
    ['/v1/orders?cursor=-1', [400, 'INVALID_CURSOR']],
    ['/v1/orders?cursor=', [400, 'INVALID_REQUEST', '/cursor']],
    [`/v1/orders?cursor=${'x'.repeat(2_001)}`, [400, 'INVALID_REQUEST', '/cursor']],
    [
      `/v1/orders?cursor=${Buffer.concat([ours, Buffer.from('["a","b"]')]).toString('base64url')}`,
      [400, 'INVALID_CURSOR'],
    ],
    ['/v1/events?after=-1', [400, 'INVALID_CURSOR']],
    ['/v1/events?after=0', [400, 'INVALID_CURSOR']],
    ['/v1/events?after=00000000.1.1', [400, 'INVALID_CURSOR']],
    ['/v1/events?limit=1000000000', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/events?limit=5001', [400, 'INVALID_REQUEST', '/limit']],
    ['/v1/events?category=users', [400, 'INVALID_REQUEST', '/category']],
    ['/v1/events?from=0001-01-01T00:00:00%2B14:00', [400, 'INVALID_REQUEST', '/from']],
    ['/v1/events?from=2026-01-01T00:00:00%2B16:00', [400, 'INVALID_REQUEST', '/from']],
    ['/v1/events?to=9999-12-31T23:59:59-12:00', [400, 'INVALID_REQUEST', '/to']],
    ['/v1/events?types=OrderLost', [400, 'INVALID_REQUEST', '/types']],
    [`/v1/orders/${unknownOrder}?minVersion=0`, [400, 'INVALID_REQUEST', '/minVersion']],
    [`/v1/orders/${unknownOrder}?minVersion=-1`, [400, 'INVALID_REQUEST', '/minVersion']],
    [`/v1/orders/${unknownOrder}?waitMs=99999`, [400, 'INVALID_REQUEST', '/waitMs']],
  ])('%s is refused', (url, expected) => expectRefusal({ url }, expected));
});

describe('a method that a path does not take', () => {
  it.each([
    ['GET', '/v1/orders/batch', 'POST'],
    ['OPTIONS', '/v1/orders/batch', 'POST'],
    ['GET', '/v1/orders/backfill', 'POST'],
    ['HEAD', '/v1/orders', 'GET, POST'],
    ['DELETE', `/v1/orders/${unknownOrder}`, 'GET'],
    ['TRACE', '/v1/orders', 'GET, POST'],
    ['QUERY', '/v1/events', 'GET'],
    ['PATCH', '/v1/orders', 'GET, POST'],
  ])('%s %s gets 405 and Allow: %s, whatever its body is', async (...row) => {
    const [method, url, allow] = row;
    const answer = await door.server.app.inject({
      method: method as 'GET',
      url,
      ...(method === 'PATCH' ? { payload: '{' } : {}),
    });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, allow]);
  });
});

describe('a wish that there is not', () => {
  it.each([
    ['/v1/orders?dryrun=true', '/dryrun'],
    ['/v1/orders?dryRun=yes', '/dryRun'],
  ])('%s is refused, not passed over: a dry run that is executed would be no dry run', (url, pointer) =>
    expectRefusal({ url, payload: text }, [400, 'INVALID_REQUEST', pointer]),
  );
});
