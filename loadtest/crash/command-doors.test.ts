import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

import { describeWithPostgres, freshDatabase } from '../../test/postgres.ts';
import { freePort } from '../system/free-port.ts';
import { launchRole, type RoleName, type RoleProcess } from '../system/role-process.ts';
import { until } from '../system/until.ts';

let stack: AsyncDisposableStack;
let folder: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  folder = await mkdtemp(join(tmpdir(), 'order-center-doors-'));
  stack.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
});
afterEach(() => stack.disposeAsync());

/** Longer than a saga with a door that was away for a while. */
const deliveredWithinMs = 30_000;

describeWithPostgres('fulfillment in a process of its own, with the doors of others', () => {
  it('delivers orders, and goes on where the role that decides them is killed and comes back', async () => {
    const world = await launchAll();
    await receive(world, 'cup', 100);

    const first = await place(world, 'first');
    expect(await untilDelivered(world, [first])).toBe(true);
    expect(await stockOf(world, 'cup')).toMatchObject({ onHand: 99, reserved: 0 });
    const calls = await world.fulfillment.metric('dependency_call_duration_seconds_count');
    expect(calls?.get('{dependency="order-commands",outcome="answered"}')).toBeGreaterThan(4);
    expect(calls?.get('{dependency="inventory",outcome="answered"}')).toBeGreaterThan(1);
    expect((await readinessOf(world.fulfillment)).status).toBe('ready');

    const more = await Promise.all(Array.from({ length: 10 }, (_, n) => place(world, `more-${n}`)));
    await world.commands.kill();
    expect(await readinessOf(world.fulfillment)).toMatchObject({
      status: 'not-ready',
      checks: expect.arrayContaining([
        { name: 'event-store', ok: true },
        { name: 'order-commands', ok: false, reason: 'DEPENDENCY_FAILED' },
        { name: 'inventory', ok: true },
      ]) as unknown,
    });
    await world.relaunchCommands();
    expect(await untilDelivered(world, more)).toBe(true);
    expect(await stockOf(world, 'cup')).toMatchObject({ onHand: 89, reserved: 0 });
    expect((await readinessOf(world.fulfillment)).status).toBe('ready');
    expect(await world.fulfillment.terminate()).toBe(0);
  }, 180_000);
});

type World = {
  readonly commands: RoleProcess;
  readonly inventory: RoleProcess;
  readonly queries: RoleProcess;
  readonly fulfillment: RoleProcess;
  readonly relaunchCommands: () => Promise<void>;
};

async function launchAll(): Promise<World> {
  const database = await freshDatabase();
  stack.defer(() => database.drop());
  const stores = { EVENT_STORE_URL: database.url, DATA_DIR: folder };
  const launch = async (role: RoleName, environment: Readonly<Record<string, string>> = {}, port = 0) => {
    const launched = await launchRole(role, { environment: { ...stores, ...environment }, folder, port });
    stack.defer(() => launched.kill());
    return launched;
  };
  const [PAYMENT_URL = '', LOGISTICS_URL = '', RISK_URL = ''] = (await launch('simulators')).urls;
  const port = await freePort();
  const commands = await launch('order-commands', {}, port);
  const inventory = await launch('inventory');
  const doors = { COMMANDS_URL: commands.urls[0] ?? '', INVENTORY_URL: inventory.urls[0] ?? '' };
  const [queries] = [await launch('order-queries'), await launch('projector')];
  const fulfillment = await launch('fulfillment', { ...doors, PAYMENT_URL, LOGISTICS_URL, RISK_URL });
  const relaunchCommands = async (): Promise<void> => {
    await launch('order-commands', {}, port);
  };
  return { commands, inventory, queries, fulfillment, relaunchCommands };
}

async function place({ commands }: World, key: string): Promise<string> {
  const lines = [{ sku: 'cup', quantity: 1, unitPrice: 500 }];
  const order = { customerId: 'c1', currency: 'EUR', lines, payments: [{ method: 'card', token: 'tok_visa' }] };
  const { orderId } = (await post(`${commands.urls[0] ?? ''}/v1/orders`, key, order)) as { readonly orderId: string };
  return orderId;
}

async function receive({ inventory }: World, sku: string, quantity: number): Promise<void> {
  await post(`${inventory.urls[0] ?? ''}/v1/stock/${sku}/receipts`, `receipt-${sku}`, { quantity });
}

async function post(url: string, key: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': key };
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) });
  expect(answer.status).toBe(201);
  return answer.json();
}

async function untilDelivered({ queries }: World, orderIds: readonly string[]): Promise<boolean> {
  const statusOf = async (orderId: string): Promise<unknown> => {
    const answer = await fetch(`${queries.urls[0] ?? ''}/v1/orders/${orderId}`);
    return ((await answer.json()) as { readonly status?: unknown }).status;
  };
  const all = async (): Promise<boolean> =>
    (await Promise.all(orderIds.map(statusOf))).every((status) => status === 'delivered');
  return until(all, { withinMs: deliveredWithinMs, everyMs: 50 });
}

async function stockOf({ inventory }: World, sku: string): Promise<unknown> {
  return (await fetch(`${inventory.urls[0] ?? ''}/v1/stock/${sku}`)).json();
}

async function readinessOf({ urls }: RoleProcess): Promise<{ readonly status: string; readonly checks: unknown }> {
  return (await (await fetch(`${urls[0] ?? ''}/readyz`)).json()) as { status: string; checks: unknown };
}
