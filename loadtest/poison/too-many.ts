import { startVerb } from '../system/order-center.ts';
import { until } from '../system/until.ts';
import { placements } from '../orders/order-bodies.ts';
import { seededRandom } from '../orders/seeded-random.ts';
import {
  listed,
  metric,
  placed,
  read,
  withoutLines,
  withPoisonedShop,
  type Claim,
  type Placed,
  type PoisonedShop,
  type RunOptions,
} from './shop.ts';

/** More than a view may park within a minute (50). */
const poisonedOrders = 60;
const parkedMax = 50;
const soonMs = 30_000;
const stopped = 'projection_stopped{projection="order-summary"}';
const parked = 'projection_parked_orders{projection="order-summary"}';

/** What a bad deploy does: one order after the other cannot be folded. The view stops; nothing else does. */
export function poisonTooMany(options: RunOptions): Promise<readonly Claim[]> {
  return withPoisonedShop('too-many', options, async (shop) => {
    const { client, events, claim } = shop;
    const orders = await placeSlips(shop, 'bad', poisonedOrders);
    const [healthy] = await placeSlips(shop, 'good', 1);
    if (healthy === undefined) throw new Error('no order');
    const plants = new Map<Placed, number>();
    for (const order of orders) plants.set(order, await events.plant(order.orderId, withoutLines(order.orderId)));

    const stops = await until(async () => (await metric(client, stopped)) === 1, { withinMs: soonMs, everyMs: 100 });
    claim('the view stops, and a gauge tells', stops, await metric(client, stopped));
    const count = await metric(client, parked);
    claim('no more than the stated number is parked', count !== null && count > 0 && count <= parkedMax, count);
    await whileStopped(shop, healthy.orderId);

    for (const [{ orderId, lines }, revision] of plants) {
      await events.mend(orderId, revision, { ...withoutLines(orderId).data, lines });
    }
    await afterTheFix(shop, [...orders, healthy]);
  });
}

async function placeSlips({ client }: PoisonedShop, prefix: string, count: number): Promise<readonly Placed[]> {
  const slips = placements({ count, random: seededRandom(3), prefix, method: 'bank_slip' });
  const orders = await Promise.all(slips.map((slip) => placed(client, slip)));
  const ids = new Set(orders.map(({ orderId }) => orderId));
  const isListed = async (): Promise<boolean> =>
    (await listed(client)).filter(({ orderId }) => ids.has(orderId)).length === count;
  if (!(await until(isListed, { withinMs: soonMs, everyMs: 100 }))) throw new Error('the orders are not in the view');
  return orders;
}

async function whileStopped({ client, claim }: PoisonedShop, orderId: string): Promise<void> {
  const post = { key: 'cancel-it', body: { reason: 'changed my mind' } };
  const cancelled = await client.send({ path: `/v1/orders/${orderId}/cancel`, post });
  const answered = 'noAnswer' in cancelled ? cancelled.noAnswer : cancelled.status;
  claim('commands are taken', answered === 200, answered);
  const seen = await read(client, orderId, '?minVersion=2');
  claim('a reader who asks for the new version gets it', seen.version === 2, seen);
  const lag = async (): Promise<number> => Math.max(0, ...(await listed(client)).map(({ asOf }) => asOf.lagMs));
  claim('the list says how old it is', await until(async () => (await lag()) > 0, { withinMs: soonMs }), await lag());
  const ready = await client.send({ path: '/readyz' });
  const status = 'noAnswer' in ready ? ready.noAnswer : ready.status;
  claim('the process stays ready', status === 200, status);
}

async function afterTheFix({ system, client, claim }: PoisonedShop, orders: readonly Placed[]): Promise<void> {
  // As a deploy does: what runs has the rows in its memory as they were.
  await system.terminate();
  system.launch();
  await system.awaitReady();
  const goesOn = await until(async () => (await metric(client, stopped)) === 0, { withinMs: soonMs, everyMs: 100 });
  claim('started again after the fix, the view goes on from where it stopped', goesOn, await metric(client, stopped));
  const drained = await startVerb(system, ['parking', 'drain']).ended;
  claim('parking drain drains what was parked', drained.code === 0, drained.stdout.trim().split('\n').at(-1));
  const ids = new Set(orders.map(({ orderId }) => orderId));
  const whole = async (): Promise<number> =>
    (await listed(client)).filter(({ orderId, version, asOf }) => ids.has(orderId) && version === 2 && !asOf.parked)
      .length;
  const all = await until(async () => (await whole()) === ids.size, { withinMs: soonMs, everyMs: 100 });
  claim('every order is at its last version and none is parked', all, await whole());
  const verified = await startVerb(system, ['verify']).ended;
  const views = /I15[^\n]*/.exec(verified.stdout)?.[0] ?? verified.stderr;
  claim('verify finds that every view is the fold of its events', verified.code === 0, views);
}
