import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { openLog } from '../../infra/logging/open.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderIdOf } from '../../schemas/ids.ts';
import type { CommandId, TenantId } from '../../schemas/ids.ts';
import { openMemoryDoor, type MemoryDoor } from './memory-door.ts';

let door: MemoryDoor;
let lines: string[];
const { changes } = orderSummary;

beforeEach(async () => {
  lines = [];
  const log = openLog({ role: 'test', level: 'info', destination: { write: (line) => void lines.push(line) } });
  door = await openMemoryDoor({ log });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await door.server.close();
});

/** As a deploy with a bug: the summary of no order can be folded, until it is mended. */
function breakSummaries(): { readonly mend: () => void } {
  const broken = vi.spyOn(orderSummary, 'changes').mockImplementation(() => {
    throw new TypeError('Cannot read what jane@example.org typed');
  });
  return { mend: () => void broken.mockImplementation(changes) };
}

const tenant = 'default' as TenantId;
const order = {
  customerId: 'customer-1',
  currency: 'EUR',
  lines: [{ sku: 'mug-blue', quantity: 2, unitPrice: 2_245 }],
  payments: [{ method: 'bank_slip' }],
};

function post(url: string, payload: object, key: string = randomUUID()) {
  return door.server.app.inject({ method: 'POST', url, payload, headers: { 'idempotency-key': key } });
}

describe('an accepted command whose order cannot be shown', () => {
  it('is answered 201 with its address and version, for it is stored: never with a failure', async () => {
    breakSummaries();
    const answer = await post('/v1/orders', order, 'key-1');
    const orderId = orderIdOf(tenant, 'key-1' as CommandId);
    expect([answer.statusCode, answer.headers.location, answer.headers.etag]).toEqual([
      201,
      `/v1/orders/${orderId}`,
      '"1"',
    ]);
    expect(answer.json()).toEqual({
      ...{ orderId, tenantId: tenant, version: 1 },
      asOf: {
        version: 1,
        eventTime: expect.any(String) as string,
        lagMs: 0,
        projection: 'order-summary@1',
        parked: true,
      },
    });
    expect(await door.store.findCommand(tenant, 'key-1' as CommandId)).toMatchObject({ version: 1, rejection: null });
  });

  it('is told to us once for each answer, without a word of what was typed', async () => {
    breakSummaries();
    await post('/v1/orders', order, 'key-1');
    const told = lines.filter((line) => line.includes('cannot be shown'));
    expect(told).toHaveLength(1);
    expect(told[0]).toContain(orderIdOf(tenant, 'key-1' as CommandId));
    expect(told[0]).toContain('TypeError at services/all-in-one/http-unshown.test.ts:');
    expect(lines.join('')).not.toContain('jane');
  });

  it('is replayed with the same status, and with its whole summary after the fix', async () => {
    const bug = breakSummaries();
    await post('/v1/orders', order, 'key-1');
    const again = await post('/v1/orders', order, 'key-1');
    expect([again.statusCode, again.headers['idempotency-replayed'], again.headers.etag]).toEqual([201, 'true', '"1"']);
    const orderId = orderIdOf(tenant, 'key-1' as CommandId);
    expect(again.json()).toEqual({ orderId, tenantId: tenant, version: 1 });
    bug.mend();
    const mended = await post('/v1/orders', order, 'key-1');
    expect(mended.json()).toMatchObject({ orderId, version: 1, status: 'placed', totals: { total: 4_490 } });
  });

  it('takes nothing from the others of its batch', async () => {
    const broken = orderIdOf(tenant, 'broken' as CommandId);
    vi.spyOn(orderSummary, 'changes').mockImplementation((event) => {
      if ('orderId' in event.data && event.data.orderId === broken) throw new TypeError('a bug');
      return changes(event);
    });
    const orders = ['fine', 'broken', 'fine-too'].map((commandId) => ({ commandId, ...order }));
    const answer = await post('/v1/orders/batch', { orders });
    const { items } = answer.json<{ items: { status: number; order: { status?: string; version: number } }[] }>();
    expect(items.map((item) => [item.status, item.order.status, item.order.version])).toEqual([
      [201, 'placed', 1],
      [201, undefined, 1],
      [201, 'placed', 1],
    ]);
  });

  it('is answered 200 where it changed an order: the later version is stored', async () => {
    const { orderId } = (await post('/v1/orders', order)).json<{ orderId: string }>();
    breakSummaries();
    const [amended, cancelled] = [
      await post(`/v1/orders/${orderId}/amend`, { shippingFee: 500 }),
      await post(`/v1/orders/${orderId}/cancel`, { reason: 'changed my mind' }),
    ];
    expect([amended.statusCode, amended.headers.etag]).toEqual([200, '"2"']);
    expect([cancelled.statusCode, cancelled.headers.etag]).toEqual([200, '"3"']);
    expect(cancelled.json()).toMatchObject({ orderId, version: 3, asOf: { parked: true } });
  });

  it('is answered alike by a dry run, which stores nothing', async () => {
    breakSummaries();
    const answer = await post('/v1/orders?dryRun=true', order, 'key-1');
    expect([answer.statusCode, answer.headers['dry-run']]).toEqual([201, 'true']);
    expect(await door.store.findCommand(tenant, 'key-1' as CommandId)).toBeNull();
  });
});
