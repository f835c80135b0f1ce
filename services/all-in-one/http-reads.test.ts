import { afterEach, describe, expect, it } from 'vitest';
import { OperationalFailure } from '../../infra/failures.ts';
import type { Problem } from '../../infra/http-server/problem.ts';
import { orderIdOf } from '../../schemas/ids.ts';
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

const shippingAddress = { name: 'Ada', line1: '1 Main Street', city: 'Berlin', postalCode: '10115', country: 'DE' };
const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug-blue', quantity: 2, unitPrice: 2_245 }],
  shippingFee: 500,
  payments: [{ method: 'card', token: 'tok_visa' }],
};

async function place(door: MemoryDoor, payload: object = { ...order, shippingAddress, email: 'ada@example.org' }) {
  const headers = { 'idempotency-key': 'key-1' };
  const answer = await door.server.app.inject({ method: 'POST', url: '/v1/orders', headers, payload });
  expect(answer.statusCode).toBe(201);
  return answer.headers.location ?? '';
}

describe('an order with its address', () => {
  it('is opened for its owner who asks, is kept by nobody, and has no email', async () => {
    const door = await open();
    const url = await place(door);
    const answer = await door.server.app.inject({
      url: `${url}?include=address&minVersion=1`,
      headers: { 'if-none-match': '"1"' },
    });
    const body = answer.json<Record<string, unknown>>();
    expect([answer.statusCode, body['version'], body['shippingAddress']]).toEqual([200, 1, shippingAddress]);
    expect(Object.keys(body).at(-1)).toBe('asOf');
    expect([answer.headers['cache-control'], answer.headers.etag]).toEqual(['no-store', '"1"']);
    expect(answer.body).not.toContain('ada@example.org');
    const without = await door.server.app.inject(url);
    expect(without.body).not.toMatch(/Main Street|shippingAddress/);
  });

  it('says null where there was none, and where its subject was forgotten', async () => {
    const without = await open();
    const none = await without.server.app.inject(`${await place(without, order)}?include=address`);
    const forgetting = await open();
    const url = await place(forgetting);
    expect(await forgetting.subjectKeys.forget('default~customer-1')).toBe(1);
    const gone = await forgetting.server.app.inject(`${url}?include=address`);
    for (const answer of [none, gone]) expect(answer.json()).toMatchObject({ version: 1, shippingAddress: null });
  });

  it('is no other tenant’s', async () => {
    const door = await open();
    const url = `${await place(door)}?include=address`;
    const answer = await door.server.app.inject({ url, headers: { 'x-tenant-id': 'rival' } });
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([404, 'ORDER_NOT_FOUND']);
  });

  it('is refused by code while the keys are down', async () => {
    const down = new OperationalFailure('STORE_UNAVAILABLE', 'down', { retryable: true });
    const door = await open({ wrapKeys: (keys) => ({ ...keys, find: () => Promise.reject(down) }) });
    const url = await place(door);
    const answer = await door.server.app.inject(`${url}?include=address`);
    expect([answer.statusCode, answer.json<Problem>().code, answer.headers['retry-after']]).toEqual([
      503,
      'STORE_UNAVAILABLE',
      '1',
    ]);
    expect((await door.server.app.inject(url)).statusCode).toBe(200);
  });
});

describe('the timeline of an order', () => {
  it('is there right after its placement, for its tenant', async () => {
    const door = await open();
    const url = `${await place(door)}/timeline`;
    const answer = await door.server.app.inject(url);
    expect(answer.json()).toMatchObject({
      orderId: orderIdOf('default' as TenantId, 'key-1' as CommandId),
      items: [{ version: 1, type: 'OrderPlaced', title: 'Order placed', amount: 4_990, currency: 'EUR', quantity: 2 }],
      omitted: 0,
      asOf: { version: 1, projection: 'order-timeline@1' },
    });
    expect(answer.body).not.toMatch(/Ada|Main Street|ada@/);
    const rival = await door.server.app.inject({ url, headers: { 'x-tenant-id': 'rival' } });
    expect([rival.statusCode, rival.json<Problem>().code]).toEqual([404, 'ORDER_NOT_FOUND']);
  });
});

describe('a query value that is not as documented', () => {
  const id = orderIdOf('default' as TenantId, 'key-1' as CommandId);
  it.each([
    [`/v1/orders/${id}?include=email`, '/include'],
    [`/v1/orders/${id}?include=address&include=address`, '/include'],
    [`/v1/orders/${id}?minVersion=0`, '/minVersion'],
    [`/v1/orders/${id}?minVersion=x`, '/minVersion'],
    [`/v1/orders/${id}?waitMs=-1`, '/waitMs'],
    [`/v1/orders/${id}?colour=blue`, '/colour'],
    [`/v1/orders/${id}/timeline?limit=1`, '/limit'],
    ['/v1/orders?status=lost', '/status'],
    ['/v1/orders?reference=', '/reference'],
    [`/v1/orders?reference=${'x'.repeat(129)}`, '/reference'],
    ['/v1/orders?customerId=', '/customerId'],
    ['/v1/orders?sku=', '/sku'],
    ['/v1/orders?placedFrom=yesterday', '/placedFrom'],
    ['/v1/orders?placedTo=2026-02-30T00:00:00Z', '/placedTo'],
    ['/v1/orders?limit=0', '/limit'],
    ['/v1/orders?limit=201', '/limit'],
    ['/v1/orders?limit=1.5', '/limit'],
    ['/v1/orders?cursor=', '/cursor'],
    ['/v1/orders?customer=1', '/customer'],
    ['/v1/reports/daily-sales?from=2026-02-30', '/from'],
    ['/v1/reports/daily-sales?from=20260201', '/from'],
    ['/v1/reports/daily-sales?to=2026-02-01T00:00:00Z', '/to'],
    ['/v1/reports/daily-sales?from=2026-02-02&to=2026-02-01', '/from'],
    ['/v1/reports/daily-sales?currency=eur', '/currency'],
    ['/v1/reports/daily-sales?currency=XXX', '/currency'],
    ['/v1/reports/daily-sales?limit=201', '/limit'],
    ['/v1/reports/daily-sales?day=2026-02-01', '/day'],
  ])('%s is refused by its name', async (url, pointer) => {
    const answer = await (await open()).server.app.inject(url);
    const { code, errors } = answer.json<Problem>();
    expect([answer.statusCode, code, errors?.[0]]).toMatchObject([400, 'INVALID_REQUEST', { pointer, in: 'query' }]);
  });

  it.each(['/v1/orders?cursor=abc', '/v1/reports/daily-sales?cursor=abc'])('%s is no cursor of ours', async (url) => {
    const answer = await (await open()).server.app.inject(url);
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([400, 'INVALID_CURSOR']);
  });
});
