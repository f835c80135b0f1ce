import { startVerb } from '../system/order-center.ts';
import { until } from '../system/until.ts';
import { jsonOf } from '../orders/http-client.ts';
import { placements } from '../orders/order-bodies.ts';
import { awaitStatus } from '../orders/read-orders.ts';
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

const deliveredWithinMs = 60_000;
const soonMs = 15_000;
/** Readers ask once a second what is parked. */
const toldWithinMs = 3_000;

/**
 * A real poison, on the real system: an event row without a field that its type has, put straight into the table of
 * events, which no hook of the product helps. Then the row is mended, and drained.
 * @param orders that must go on beside it
 */
export function poisonOneOrder(orders: number, options: RunOptions): Promise<readonly Claim[]> {
  return withPoisonedShop('poison', options, async (shop) => {
    const { client, events, claim } = shop;
    const [slip] = placements({ count: 1, random: seededRandom(1), prefix: 'poison', method: 'bank_slip' });
    if (slip === undefined) throw new Error('no placement');
    const poisoned = await placed(client, slip);
    const { orderId } = poisoned;
    await until(async () => (await read(client, orderId)).version === 1, { withinMs: soonMs, everyMs: 50 });
    const revision = await events.plant(orderId, withoutLines(orderId));
    const later = { orderId, paymentId: 'none', providerId: 'y', amount: 1, currency: 'EUR' };
    await events.plant(orderId, { type: 'PaymentAuthorized', data: later });
    const isParked = async (): Promise<boolean> => (await read(client, orderId)).parked;
    const says = await until(isParked, { withinMs: soonMs, everyMs: 50 });
    claim('the order says that it is parked', says, await read(client, orderId));

    await expectOthersDelivered(shop, orders);
    await whileParked(shop, orderId);
    await afterTheFix(shop, poisoned, revision);
  });
}

async function expectOthersDelivered({ client, claim }: PoisonedShop, orders: number): Promise<void> {
  const others = placements({ count: orders, random: seededRandom(2), prefix: 'healthy' });
  const answers = await Promise.all(others.map((each) => placed(client, each)));
  const orderIds = answers.map(({ orderId }) => orderId);
  const deadline = performance.now() + deliveredWithinMs;
  const undelivered = await awaitStatus(client, { orderIds, status: 'delivered', deadline });
  claim('every other order is delivered', undelivered.size === 0, { orders, undelivered: undelivered.size });
}

async function whileParked({ system, client, claim }: PoisonedShop, orderId: string): Promise<void> {
  const beyond = await client.send({ path: `/v1/orders/${orderId}?minVersion=2&waitMs=5000` });
  const refused = 'noAnswer' in beyond ? beyond.noAnswer : `${beyond.status} ${String(jsonOf(beyond).code)}`;
  claim('a version beyond the poison is refused, and none older given', refused === '409 NOT_YET_VISIBLE', refused);
  const parked = (await listed(client)).filter(({ asOf }) => asOf.parked).map((item) => item.orderId);
  claim('the list says parked of it alone', parked.length === 1 && parked[0] === orderId, parked.length);
  const gauge = await metric(client, 'projection_parked_orders{projection="order-summary"}');
  claim('the gauge counts it', gauge === 1, gauge);
  const list = JSON.parse((await startVerb(system, ['parking', 'list', '--json']).ended).stdout) as Listed;
  const isAlone = list.groups.length > 0 && list.groups.every(({ orders, events }) => orders === 1 && events === 2);
  claim('parking list shows it alone with its two events, by view and error', isAlone, list.groups);
  const drain = await startVerb(system, ['parking', 'drain', '--order', orderId]).ended;
  claim('a drain before the fix leaves it parked, with exit 1', drain.code === 1, drain.stdout.trim());
}

type Listed = { readonly groups: readonly { readonly orders: number; readonly events: number }[] };

async function afterTheFix(shop: PoisonedShop, { orderId, lines }: Placed, revision: number): Promise<void> {
  const { system, client, events, claim } = shop;
  await events.mend(orderId, revision, { ...withoutLines(orderId).data, lines });
  const drained = await startVerb(system, ['parking', 'drain', '--order', orderId]).ended;
  claim('after the row is mended, parking drain drains it', drained.code === 0, drained.stdout.trim());
  const isWhole = async (): Promise<boolean> => {
    const { version, parked } = await read(client, orderId);
    return version === 3 && !parked;
  };
  const whole = await until(isWhole, { withinMs: toldWithinMs, everyMs: 50 });
  claim('the order is at its last version and no longer parked', whole, await read(client, orderId));
  const verified = await startVerb(system, ['verify']).ended;
  const views = /I15[^\n]*/.exec(verified.stdout)?.[0] ?? verified.stderr;
  claim('verify finds that every view is the fold of its events', verified.code === 0, views);
}
