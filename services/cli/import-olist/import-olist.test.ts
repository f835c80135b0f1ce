import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { importOlist } from './import-olist.ts';
import { olistOrder } from './olist-example.ts';
import type { OlistOrder } from './olist-order.ts';
import { answer, keyOf, openTestDoor } from './test-door.ts';
import type { TestDoor } from './test-door.ts';
import type { TenantId } from '../../../schemas/ids.ts';

describe('the import of Olist files', () => {
  let folder: string;
  let door: TestDoor;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'order-center-olist-'));
    door = await openTestDoor();
    await writeFiles(folder, orders);
  });

  afterEach(async () => {
    await door.close();
    await rm(folder, { recursive: true });
  });

  it('posts each order under its own key and finds no difference', async () => {
    const { code, result } = await imported();
    expect(code).toBe(0);
    expect([...door.orders.keys()].sort()).toEqual(['olist-o1', 'olist-o2', 'olist-o3', 'olist-o4', 'olist-o5']);
    expect(result).toMatchObject({ imported: 5, alreadyThere: 0, refused: {}, differences: [] });
    expect(result.rows).toContainEqual({ measure: 'orders', files: 5, views: 5, difference: 0 });
    expect(result.rows).toContainEqual({ measure: 'status cancelled', files: 1, views: 1, difference: 0 });
  });

  it('adds nothing when it runs again', async () => {
    await imported();
    const { code, result } = await imported();
    expect(code).toBe(0);
    expect(result).toMatchObject({ imported: 0, alreadyThere: 5, differences: [] });
    expect(door.orders.size).toBe(5);
  });

  it('repeats with the same key what was not answered, was too early or found a twin in flight', async () => {
    const seen = new Map<string, number>();
    door.interfere = (request, response) => {
      if (request.method !== 'POST') return false;
      const times = (seen.get(keyOf(request)) ?? 0) + 1;
      seen.set(keyOf(request), times);
      if (times === 1) return answer(response, 503, { code: 'OVERLOADED' });
      if (times === 2) return answer(response, 409, { code: 'IDEMPOTENCY_KEY_IN_PROGRESS' });
      if (times === 3) response.destroy();
      return times === 3;
    };
    const { code, result } = await imported();
    expect(code).toBe(0);
    expect(result).toMatchObject({ imported: 5, alreadyThere: 0 });
    expect([...seen.values()]).toEqual([4, 4, 4, 4, 4]);
  });

  it('waits for views that follow later', async () => {
    let lists = 0;
    door.interfere = (request, response) =>
      request.method === 'GET' &&
      request.url?.startsWith('/v1/orders?') === true &&
      (lists += 1) <= 2 &&
      answer(response, 200, { items: [], nextCursor: null });
    expect((await imported()).code).toBe(0);
    expect(lists).toBeGreaterThan(2);
  });

  it('lists what differs and fails', async () => {
    await imported();
    const changed = door.orders.get('olist-o2');
    if (changed !== undefined) door.orders.set('olist-o2', { ...changed, captured: 1, status: 'placed' });
    const { code, result } = await imported();
    expect(code).toBe(1);
    expect(result.differences).toEqual([
      'o2 status: delivered in the files, placed in the views',
      'o2 captured: 2841 in the files, 1 in the views',
    ]);
  });

  it('names an order that is not in the views, and one that was refused, and fails', async () => {
    door.interfere = (request, response) =>
      keyOf(request) === 'olist-o3' && answer(response, 422, { code: 'INVALID_VALUE', detail: 'no' });
    const { code, result } = await imported();
    expect(code).toBe(1);
    expect(result).toMatchObject({ refused: { o3: '422 INVALID_VALUE no' } });
    expect(result.differences).toEqual(['o3 is not in the views']);
  });

  it('prints a table for people', async () => {
    const printed: string[] = [];
    await importOlist(context(printed), folder, { url: door.url, tenant, concurrency: 2 });
    expect(printed.join('\n')).toMatch(/5 imported, 0 already there, 0 refused/);
    expect(printed.join('\n')).toMatch(/orders +5 +5 +0\n[^]*no difference$/);
  });

  it('imports nothing where a row cannot be read', async () => {
    await writeFiles(folder, [olistOrder('delivered', { order_approved_at: 'soon' })]);
    await expect(imported()).rejects.toThrow('nothing was imported: order_approved_at of o1 is "soon"');
    expect(door.orders.size).toBe(0);
  });

  it('says which file is missing or has other columns', async () => {
    await writeFile(join(folder, 'payments.csv'), 'a,b\n1,2\n');
    await expect(imported()).rejects.toThrow('payments.csv has no column order_id, payment_sequential');
    await rm(join(folder, 'customers.csv.gz'));
    await rm(join(folder, 'payments.csv'));
    await expect(imported()).rejects.toThrow('there is no customers.csv or customers.csv.gz in ');
    await writeFile(join(folder, 'customers.csv.gz'), 'not gzip');
    await expect(imported()).rejects.toThrow('customers.csv.gz cannot be read: ');
  });

  it('ends when it is interrupted', async () => {
    const interruption = new AbortController();
    door.interfere = (request) => {
      if (request.method === 'POST') interruption.abort();
      return request.method === 'POST';
    };
    const ending = importOlist(context([], interruption.signal), folder, { url: door.url, tenant, concurrency: 2 });
    await expect(ending).rejects.toThrow(/abort/i);
  });

  async function imported(): Promise<{ readonly code: number; readonly result: Printed }> {
    const printed: string[] = [];
    const options = { url: door.url, tenant, concurrency: 2, json: true, patienceMs: 1_000 };
    const code = await importOlist(context(printed), folder, options);
    return { code, result: JSON.parse(printed.join('')) as Printed };
  }
});

type Printed = { readonly rows: readonly unknown[]; readonly differences: readonly string[] };

const tenant = 'default' as TenantId;

const orders: readonly OlistOrder[] = [
  olistOrder('delivered'),
  olistOrder('delivered', { order_id: 'o2' }),
  olistOrder('shipped', { order_id: 'o3', order_delivered_customer_date: '' }),
  olistOrder('canceled', { order_id: 'o4', order_delivered_carrier_date: '', order_delivered_customer_date: '' }),
  olistOrder('processing', { order_id: 'o5', order_delivered_carrier_date: '', order_delivered_customer_date: '' }),
];

function context(printed: string[], signal = new AbortController().signal) {
  const print = (text: string): void => void printed.push(text);
  return { env: {}, signal, terminal: { print, note: () => undefined, progress: () => undefined } };
}

async function writeFiles(folder: string, all: readonly OlistOrder[]): Promise<void> {
  const csv = (rows: readonly Readonly<Record<string, string>>[]): string =>
    [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))].map((row) => `${row.join(',')}\n`).join('');
  await writeFile(join(folder, 'orders.csv'), csv(all.map(({ order }) => order)));
  await writeFile(join(folder, 'order_items.csv'), csv(all.flatMap(({ items }) => items)));
  await writeFile(join(folder, 'payments.csv.gz'), gzipSync(csv(all.flatMap(({ payments }) => payments))));
  await writeFile(join(folder, 'customers.csv.gz'), gzipSync(csv(all.slice(0, 1).map(({ customer }) => customer))));
}
