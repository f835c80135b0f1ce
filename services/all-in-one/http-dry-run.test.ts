import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterEach, describe, expect, it } from 'vitest';
import type { Problem } from '../../infra/http-server/problem.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import { derivedId, orderIdOf } from '../../schemas/ids.ts';
import { openMemoryDoor } from './memory-door.ts';
import type { MemoryDoor } from './memory-door.ts';

const doors: MemoryDoor[] = [];
afterEach(() => Promise.all(doors.splice(0).map(({ server }) => server.close())));

const tenant = 'default' as TenantId;
const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug', quantity: 2, unitPrice: 2_000 }],
  email: 'ada@example.org',
  payments: [{ method: 'bank_slip' }],
};
const cardOrder = { ...order, payments: [{ method: 'card', token: 'tok_visa' }] };
const historical = { ...order, payments: [{ method: 'card', amount: 1 }], facts: [] };
const { email: _, ...historicalOrder } = historical;

/** Everything a store was asked to write. */
type Written = { readonly door: MemoryDoor; readonly writes: () => readonly string[] };

async function open(): Promise<Written> {
  const writes: string[] = [];
  const door = await openMemoryDoor({
    wrapStore: (store) => ({
      ...store,
      append: (append) => (writes.push('append'), store.append(append)),
      recordAnswer: (receipt, expected) => (writes.push('answer'), store.recordAnswer(receipt, expected)),
    }),
  });
  doors.push(door);
  return { door, writes: () => writes };
}

type Request = { readonly url: string; readonly body: object; readonly key?: string; readonly ifMatch?: string };

async function post({ server }: MemoryDoor, { url, body, key = randomUUID(), ifMatch }: Request) {
  const headers = { 'idempotency-key': key, ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }) };
  return server.app.inject({ method: 'POST', url, payload: body, headers });
}

const dry = (request: Request): Request => ({ ...request, url: `${request.url}?dryRun=true` });

/** What both runs must have alike: ids follow from keys, so only times differ. */
function told({ statusCode, headers, body }: Awaited<ReturnType<typeof post>>) {
  const withoutTimes = (_key: string, value: unknown): unknown =>
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT|^[0-9a-f]{32}$/.test(value) ? 'a time or a trace' : value;
  const { etag, location, 'idempotency-replayed': replayed, 'content-type': type } = headers;
  return { statusCode, etag, location, replayed, type, body: JSON.parse(body, withoutTimes) as unknown };
}

const placedUrl = `/v1/orders/${orderIdOf(tenant, 'placed' as CommandId)}`;
const cardUrl = `/v1/orders/${orderIdOf(tenant, 'card' as CommandId)}`;

/** An order by slip, one by card, one cancelled, and a SKU with stock. */
async function given(): Promise<Written> {
  const world = await open();
  const { door } = world;
  await post(door, { url: '/v1/orders', body: { ...order, reference: 'shop-1' }, key: 'placed' });
  await post(door, { url: '/v1/orders', body: cardOrder, key: 'card' });
  await post(door, { url: '/v1/stock/mug/receipts', body: { quantity: 5 }, key: 'received' });
  await post(door, { url: `${cardUrl}/cancel`, body: { reason: 'x' }, key: 'cancelled' });
  return world;
}

const requests: readonly (readonly [string, Request, number])[] = [
  ['a placement', { url: '/v1/orders', body: cardOrder }, 201],
  ['a placement that does not add up', { url: '/v1/orders', body: { ...order, discount: 9_999 } }, 422],
  ['a placement of a taken reference', { url: '/v1/orders', body: { ...order, reference: 'shop-1' } }, 409],
  ['a placement under a used key', { url: '/v1/orders', body: { ...order, reference: 'shop-1' }, key: 'placed' }, 201],
  ['a placement under a key of another payload', { url: '/v1/orders', body: order, key: 'placed' }, 422],
  ['a placement with an unknown field', { url: '/v1/orders', body: { ...order, price: 1 } }, 400],
  ['a placement under a malformed key', { url: '/v1/orders', body: order, key: 'a b' }, 400],
  ['a backfill', { url: '/v1/orders/backfill', body: historicalOrder }, 201],
  ['a cancellation', { url: `${placedUrl}/cancel`, body: { reason: 'x' } }, 200],
  ['a cancellation of a cancelled order', { url: `${cardUrl}/cancel`, body: { reason: 'y' } }, 200],
  ['a cancellation at another version', { url: `${placedUrl}/cancel`, body: { reason: 'x' }, ifMatch: '"7"' }, 412],
  ['a cancellation of no order', { url: `/v1/orders/${randomUUID()}/cancel`, body: { reason: 'x' } }, 404],
  ['a repeated cancellation', { url: `${cardUrl}/cancel`, body: { reason: 'x' }, key: 'cancelled' }, 200],
  ['an amendment', { url: `${placedUrl}/amend`, body: { shippingFee: 700 }, ifMatch: '"1"' }, 200],
  ['an amendment that changes nothing', { url: `${placedUrl}/amend`, body: { shippingFee: 0 } }, 200],
  ['an amendment of a cancelled order', { url: `${cardUrl}/amend`, body: { shippingFee: 700 } }, 409],
  ['a receipt', { url: '/v1/stock/mug/receipts', body: { quantity: 3 } }, 201],
  ['a repeated receipt', { url: '/v1/stock/mug/receipts', body: { quantity: 5 }, key: 'received' }, 201],
  ['an adjustment', { url: '/v1/stock/mug/adjustments', body: { delta: -2, reason: 'broken' } }, 201],
  ['an adjustment of an untracked SKU', { url: '/v1/stock/tea/adjustments', body: { delta: 1, reason: 'x' } }, 404],
];

describe('a dry run', () => {
  it.each(requests)('of %s is answered as the real one, and leaves nothing', async (_title, request, status) => {
    const { door, writes } = await given();
    const before = [...writes()];
    const key = request.key ?? 'the-key';
    const rehearsed = await post(door, dry({ ...request, key }));
    expect([rehearsed.statusCode, rehearsed.headers['dry-run']]).toEqual([status, 'true']);
    expect(writes()).toEqual(before);
    const orderId = orderIdOf(tenant, key as CommandId);
    const isUsed = request.key !== undefined;
    if (!isUsed) expect(await door.store.findCommand(tenant, key as CommandId)).toBeNull();
    if (!isUsed) expect(await door.paymentTokens.find(tenant, orderId, derivedId(orderId, 'payment/1'))).toBeNull();
    const real = await post(door, { ...request, key });
    expect(told(real)).toEqual(told(rehearsed));
    expect(real.headers['dry-run']).toBeUndefined();
  });

  it('leaves the state of the order as it was: readers and the next command see none of it', async () => {
    const { door } = await given();
    await post(door, dry({ url: `${placedUrl}/cancel`, body: { reason: 'x' } }));
    expect((await door.server.app.inject(placedUrl)).json()).toMatchObject({ status: 'placed', version: 1 });
    expect((await post(door, { url: `${placedUrl}/amend`, body: { shippingFee: 1 } })).statusCode).toBe(200);
  });

  it('needs a key, and says so as the command would', async () => {
    const { door } = await given();
    const request = { method: 'POST', url: '/v1/orders?dryRun=true', payload: order } as const;
    const answer = await door.server.app.inject(request);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([400, 'IDEMPOTENCY_KEY_REQUIRED']);
    expect(answer.headers['dry-run']).toBe('true');
  });

  it.each(['dryRun=false', 'dryRun=1', 'dryRun=', 'dryRun', 'dryrun=true', 'dryRun=true&dryRun=true'])(
    'that is asked for by ?%s is refused, and nothing is stored',
    async (query) => {
      const { door, writes } = await given();
      const before = writes().length;
      const urls = [
        '/v1/orders',
        '/v1/orders/batch',
        '/v1/orders/backfill',
        `${placedUrl}/cancel`,
        `${placedUrl}/amend`,
      ];
      for (const url of [...urls, '/v1/stock/mug/receipts', '/v1/stock/mug/adjustments']) {
        const answer = await post(door, { url: `${url}?${query}`, body: order });
        expect([url, answer.statusCode, answer.json<Problem>().code]).toEqual([url, 400, 'INVALID_REQUEST']);
      }
      expect(writes()).toHaveLength(before);
    },
  );

  it('is documented on every command route', async () => {
    const { door } = await open();
    const { paths } = (await door.server.app.inject('/openapi.json')).json<{
      paths: Record<string, { post?: { parameters?: { name: string }[] } }>;
    }>();
    const posts = Object.entries(paths).filter(
      ([path, { post: route }]) => route !== undefined && !path.includes('admin'),
    );
    expect(posts.length).toBeGreaterThanOrEqual(7);
    for (const [path, { post: route }] of posts) {
      expect([path, route?.parameters?.some(({ name }) => name === 'dryRun')]).toEqual([path, true]);
    }
  });
});

describe('a dry batch', () => {
  type Items = { items: { commandId: string; status: number; replayed?: true; problem?: Problem; order?: object }[] };
  const anyItem = fc.record({
    commandId: fc.constantFrom('a', 'b', 'c', 'placed'),
    reference: fc.constantFrom('shop-1', 'shop-2', 'shop-3', undefined),
    shippingFee: fc.constantFrom(0, 100),
    discount: fc.constantFrom(0, 0, 9_999),
    currency: fc.constantFrom('EUR', 'EUR', 'EUR', 'XXX'),
  });

  it('is answered item by item as the real one, and leaves nothing', async () => {
    const compared = { items: 0, refused: 0 };
    await fc.assert(
      fc.asyncProperty(fc.array(anyItem, { minLength: 1, maxLength: 5 }), async (items) => {
        const { door, writes } = await given();
        const orders = items.map((item) => JSON.parse(JSON.stringify({ ...order, ...item })) as object);
        const before = writes().length;
        const rehearsed = await post(door, dry({ url: '/v1/orders/batch', body: { orders } }));
        expect(writes()).toHaveLength(before);
        expect(rehearsed.headers['dry-run']).toBe('true');
        const real = await post(door, { url: '/v1/orders/batch', body: { orders } });
        expect(told(rehearsed)).toEqual(told(real));
        compared.items += items.length;
        compared.refused += real.json<Items>().items.filter(({ problem }) => problem !== undefined).length;
      }),
      { numRuns: 30 },
    );
    // Otherwise the law would hold of nothing.
    expect(compared.refused).toBeGreaterThan(5);
    expect(compared.items - compared.refused).toBeGreaterThan(5);
  });
});

it('a dry amendment tells the version and the totals that would be', async () => {
  const { door } = await given();
  const answer = await post(door, dry({ url: `${placedUrl}/amend`, body: { shippingFee: 700 } }));
  const orderId = placedUrl.slice('/v1/orders/'.length) as OrderId;
  expect(answer.headers.etag).toBe('"2"');
  expect(answer.json()).toMatchObject({ orderId, version: 2, totals: { shipping: 700, total: 4_700 } });
});
