import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { OperationalFailure } from '../../infra/failures.ts';
import { exchange } from '../../infra/http-server/test-raw-socket.ts';
import { openLog } from '../../infra/logging/open.ts';
import { openMemoryDoor } from './memory-door.ts';
import type { MemoryDoor, MemoryDoorOptions } from './memory-door.ts';

// What callers write stays where it belongs: secrets and personal data come out nowhere else, whatever door they went in
// by and whatever failed then, and no text makes a log line of its own.
const lines: string[] = [];
let door: MemoryDoor | undefined;
afterEach(async () => {
  lines.length = 0;
  await door?.server.close();
});

async function open(wrapStore?: MemoryDoorOptions['wrapStore']): Promise<MemoryDoor> {
  const log = openLog({ role: 'test', level: 'trace', destination: { write: (text) => void lines.push(text) } });
  return (door = await openMemoryDoor({ log, ...(wrapStore && { wrapStore }) }));
}

const personal = {
  email: 'kookaburra@example.org',
  shippingAddress: {
    name: 'Kookaburra Bird',
    line1: 'kookaburra-street 1',
    city: 'kookaburra-town',
    postalCode: 'kookaburra-9',
    country: 'DE',
  },
  payments: [{ method: 'card', token: 'tok_kookaburra' }],
};
const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug', quantity: 1, unitPrice: 100 }],
  ...personal,
};
const history = { ...order, payments: [{ method: 'card' }], facts: [] };
const headers = {
  'content-type': 'application/json',
  authorization: 'Bearer kookaburra',
  cookie: 'session=kookaburra',
  'user-agent': 'kookaburra',
};

type Request = readonly [url: string, body: object | string];

/** Every door that takes a body, once as it should be and once with each kind of fault. */
const requests: readonly Request[] = [
  ['/v1/orders', order],
  ['/v1/orders?dryRun=true', order],
  ['/v1/orders', { ...order, currency: 'kookaburra' }],
  ['/v1/orders', { ...order, email: 'kookaburra', customerId: 'kookaburra kookaburra' }],
  ['/v1/orders', { ...order, shippingAddress: { ...personal.shippingAddress, country: 'kookaburra' } }],
  ['/v1/orders', { ...order, payments: [{ method: 'card', token: 'kookaburra\0' }] }],
  ['/v1/orders', { ...order, discount: 9_999, reference: 'r' }],
  ['/v1/orders', JSON.stringify(order).slice(0, -9)],
  ['/v1/orders', JSON.stringify(order).replace('{', '{"email":"kookaburra-2@example.org",')],
  [
    '/v1/orders/batch',
    {
      orders: [
        { commandId: 'a', ...order },
        { commandId: 'b', ...order, email: 'kookaburra' },
      ],
    },
  ],
  ['/v1/orders/backfill', history],
  ['/v1/orders/backfill', { ...history, email: 'kookaburra' }],
  ['/v1/orders/9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55/amend', { shippingAddress: personal.shippingAddress }],
  ['/v1/orders/9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55/cancel', { reason: 'kookaburra' }],
  ['/v1/stock/mug/adjustments', { delta: 0, reason: 'kookaburra' }],
];

/** What carries no body: queries are not even named in `instance`. */
const reads = [
  '/v1/orders?customerId=kookaburra',
  '/v1/orders?status=kookaburra',
  '/v1/orders?cursor=kookaburra',
  '/v1/events?after=kookaburra',
];

async function sendAll({ server }: MemoryDoor): Promise<readonly string[]> {
  const bodies: string[] = [];
  for (const [url, payload] of requests) {
    const answer = await server.app.inject({
      method: 'POST',
      url,
      payload,
      headers: { ...headers, 'idempotency-key': randomUUID() },
    });
    bodies.push(answer.body);
  }
  for (const url of reads) bodies.push((await server.app.inject({ url, headers })).body);
  const raw = 'GET /livez HTTP/1.1\r\nhost: x\r\nauthorization: Bearer kookaburra\r\nx-a: kookaburra\0\r\n\r\n';
  bodies.push(await exchange(await server.listen(), raw));
  return bodies;
}

async function expectNoSecret({ server }: MemoryDoor, bodies: readonly string[]): Promise<void> {
  const shown = [
    '/metrics',
    '/readyz',
    '/openapi.json',
    '/v1/events?category=order',
    '/v1/orders',
    '/v1/admin/parking',
  ];
  const pages = await Promise.all(shown.map(async (url) => (await server.app.inject(url)).body));
  expect(lines.length).toBeGreaterThan(requests.length);
  for (const text of [...bodies, ...pages, ...lines]) expect(text).not.toMatch(/kookaburra/i);
}

describe('a token, an email, an address or a credential', () => {
  it('comes out nowhere, whatever is wrong with the request', async () => {
    const opened = await open();
    await expectNoSecret(opened, await sendAll(opened));
  });

  it.each<readonly [string, () => Error]>([
    ['a bug', () => new Error('kookaburra', { cause: new Error('kookaburra') })],
    [
      'a bug in our own words',
      () => new TypeError("Cannot read properties of undefined (reading 'x')", { cause: order }),
    ],
    [
      'a driver',
      () =>
        Object.assign(new Error('Key (email)=(kookaburra) exists'), {
          code: '23505',
          detail: 'kookaburra',
          where: 'kookaburra',
        }),
    ],
    [
      'the world',
      () => new OperationalFailure('STORE_UNAVAILABLE', 'down', { retryable: true, cause: new Error('kookaburra') }),
    ],
    ['something that is no error', () => ({ detail: 'kookaburra' }) as unknown as Error],
  ])('comes out nowhere where %s fails the store', async (_title, failure) => {
    const opened = await open((store) => ({
      ...store,
      append: () => Promise.reject(failure()),
      readLog: (request) => (request.limit === 1 ? Promise.reject(failure()) : store.readLog(request)),
    }));
    await expectNoSecret(opened, await sendAll(opened));
  });
});

describe('text with line ends and terminal codes', () => {
  const forged = 'x\r\n{"level":"error","msg":"forged"}\u001b[2K\u2028\u0085';

  it('makes no log line of its own, and colors none', async () => {
    const opened = await open((store) => ({ ...store, append: () => Promise.reject(new Error(forged)) }));
    const encoded = encodeURIComponent(forged);
    for (const url of [
      `/v1/stock/${encoded}`,
      `/v1/orders?customerId=${encoded}`,
      `/${encoded}`,
      `/v1/commands/${encoded}`,
    ]) {
      await opened.server.app.inject({ url, headers: { 'x-tenant-id': forged, traceparent: forged } });
    }
    const payload = {
      ...order,
      metadata: { [forged]: forged },
      lines: [{ sku: 'mug', quantity: 1, unitPrice: 100, name: forged }],
    };
    await opened.server.app.inject({ method: 'POST', url: '/v1/orders', payload, headers: { 'idempotency-key': 'k' } });
    await opened.server.app.inject({
      method: 'POST',
      url: '/v1/stock/mug/receipts',
      payload: { quantity: 1 },
      headers: { 'idempotency-key': 'l' },
    });
    expect(lines.length).toBeGreaterThan(5);
    for (const line of lines) {
      expect(line.endsWith('\n')).toBe(true);
      expect(line.slice(0, -1)).not.toMatch(/[\p{Cc}\u2028]/u);
      expect(JSON.parse(line)).toMatchObject({ role: 'test' });
    }
    expect(lines.filter((line) => line.includes('forged'))).toEqual([]);
  });
});
