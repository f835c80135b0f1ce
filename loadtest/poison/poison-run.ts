import { findRunning } from '../../infra/local/data-dir.ts';
import { startVerb } from '../crash/order-center.ts';
import { openSystem, type System } from '../crash/system.ts';
import { until } from '../crash/until.ts';
import { jsonOf, openHttpClient, type HttpClient } from '../orders/http-client.ts';
import { placements, type Placement } from '../orders/order-bodies.ts';
import { awaitStatus } from '../orders/read-orders.ts';
import { seededRandom } from '../orders/seeded-random.ts';
import { openEventTable, type EventTable } from './planted-event.ts';

export type PoisonOptions = {
  /** Orders that must go on. */
  readonly orders: number;
  readonly keep: boolean;
  readonly say: (line: string) => void;
};

/** One sentence, and whether it came true on the running system. */
export type Claim = { readonly claim: string; readonly holds: boolean; readonly seen: string };

const tenantId = 'default';
const deliveredWithinMs = 60_000;
const soonMs = 15_000;
/** Readers ask once a second what is parked. */
const toldWithinMs = 3_000;

/**
 * A real poison, on the real system: an event row without a field that its type has, put straight into the table of
 * events, which no hook of the product helps. The order view cannot fold it. Then the row is mended, and drained.
 */
export async function runPoison({ orders, keep, say }: PoisonOptions): Promise<readonly Claim[]> {
  const system = await openSystem({ name: 'poison', keep, environment: { UNPAID_EXPIRY_MS: '3600000' } });
  const client = openHttpClient({ url: system.url, tenantId, socketsMax: 16 });
  try {
    system.launch();
    say(`ready after ${Math.round(await system.awaitReady())} ms at ${system.url}`);
    const running = await findRunning(system.dataDir);
    const events = await openEventTable(running?.postgresUrl ?? '');
    try {
      return await poisonOne({ system, client, events, orders, say });
    } finally {
      await events.close();
    }
  } finally {
    client.close();
    await system.close();
  }
}

type Run = {
  readonly system: System;
  readonly client: HttpClient;
  readonly events: EventTable;
  readonly orders: number;
  readonly say: (line: string) => void;
};

async function poisonOne(run: Run): Promise<readonly Claim[]> {
  const { client, events, orders, say } = run;
  const claims: Claim[] = [];
  const claim = (sentence: string, holds: boolean, seen: unknown): void => {
    claims.push({ claim: sentence, holds, seen: JSON.stringify(seen) });
    say(`${holds ? 'holds' : 'DOES NOT HOLD'}: ${sentence} (${JSON.stringify(seen)})`);
  };
  // Waits for a webhook that never comes: nothing but the planted events happens to it.
  const [slip] = placements({ count: 1, random: seededRandom(1), prefix: 'poison', method: 'bank_slip' });
  if (slip === undefined) throw new Error('no placement');
  const { orderId, lines } = await placed(client, slip);
  await until(async () => (await read(client, orderId)).version === 1, { withinMs: soonMs, everyMs: 50 });
  const data = { orderId, shipmentId: 's1', providerId: 'x' };
  const revision = await events.plant(orderId, { type: 'ShipmentDispatched', data });
  await events.plant(orderId, { type: 'PaymentAuthorized', data: { orderId, paymentId: 'none', providerId: 'y', amount: 1, currency: 'EUR' } }); // prettier-ignore
  const isParked = async (): Promise<boolean> => (await read(client, orderId)).parked;
  claim('the order says that it is parked', await until(isParked, { withinMs: soonMs, everyMs: 50 }), await read(client, orderId)); // prettier-ignore

  const others = await Promise.all(
    placements({ count: orders, random: seededRandom(2), prefix: 'healthy' }).map((each) => placed(client, each)),
  );
  const deadline = performance.now() + deliveredWithinMs;
  const orderIds = others.map((each) => each.orderId);
  const undelivered = await awaitStatus(client, { orderIds, status: 'delivered', deadline });
  claim('every other order is delivered', undelivered.size === 0, { orders, undelivered: undelivered.size });
  await whileParked(run, orderId, claim);

  await events.mend(orderId, revision, { ...data, lines });
  const drained = await startVerb(run.system, ['parking', 'drain', '--order', orderId]).ended;
  claim('after the row is mended, parking drain drains it', drained.code === 0, drained.stdout.trim());
  const isWhole = async (): Promise<boolean> => {
    const { version, parked } = await read(client, orderId);
    return version === 3 && !parked;
  };
  const whole = await until(isWhole, { withinMs: toldWithinMs, everyMs: 50 });
  claim('the order is at its last version and no longer parked', whole, await read(client, orderId));
  const verified = await startVerb(run.system, ['verify']).ended;
  claim('verify finds that every view is the fold of its events', verified.code === 0, verified.stdout.match(/I15[^\n]*/)?.[0] ?? verified.stderr); // prettier-ignore
  return claims;
}

type ToClaim = (sentence: string, holds: boolean, seen: unknown) => void;

async function whileParked({ system, client }: Run, orderId: string, claim: ToClaim): Promise<void> {
  const beyond = await client.send({ path: `/v1/orders/${orderId}?minVersion=2&waitMs=5000` });
  const refused = 'noAnswer' in beyond ? beyond.noAnswer : `${beyond.status} ${String(jsonOf(beyond).code)}`;
  claim('a version beyond the poison is refused, and none older given', refused === '409 NOT_YET_VISIBLE', refused);
  const listed = await client.send({ path: '/v1/orders?limit=200' });
  const items = 'noAnswer' in listed ? [] : (jsonOf(listed).items as readonly Shown[]);
  const parked = items.filter(({ asOf }) => asOf.parked).map((item) => item.orderId);
  claim('the list says parked of it alone', parked.length === 1 && parked[0] === orderId, parked.length);
  const metrics = await client.send({ path: '/metrics' });
  const gauge = 'noAnswer' in metrics ? '' : metrics.text.match(/projection_parked_orders\{projection="order-summary"\} \d+/)?.[0]; // prettier-ignore
  claim('the gauge counts it', gauge?.endsWith(' 1') === true, gauge);
  const group = JSON.parse((await startVerb(system, ['parking', 'list', '--json']).ended).stdout) as {
    groups: object[];
  };
  claim('parking list shows one group of one order and two events', isGroup(group.groups), group.groups);
  const drain = await startVerb(system, ['parking', 'drain', '--order', orderId]).ended;
  claim('a drain before the fix leaves it parked, with exit 1', drain.code === 1, drain.stdout.trim());
}

function isGroup(groups: readonly object[]): boolean {
  const [only] = groups as readonly { readonly orders: number; readonly events: number }[];
  return groups.length === 1 && only?.orders === 1 && only.events === 2;
}

type Shown = { readonly orderId: string; readonly version: number; readonly asOf: { readonly parked: boolean } };
type Seen = { readonly status: number; readonly version: number; readonly parked: boolean };

async function read(client: HttpClient, orderId: string): Promise<Seen> {
  const answer = await client.send({ path: `/v1/orders/${orderId}` });
  if ('noAnswer' in answer || answer.status !== 200) return { status: 'status' in answer ? answer.status : 0, version: 0, parked: false }; // prettier-ignore
  const { version, asOf } = jsonOf(answer) as Shown;
  return { status: answer.status, version, parked: asOf.parked };
}

type Placed = {
  readonly orderId: string;
  readonly lines: readonly { readonly lineId: string; readonly quantity: number }[];
};

async function placed(client: HttpClient, { commandId, body }: Placement): Promise<Placed> {
  const answer = await client.send({ path: '/v1/orders', post: { key: commandId, body } });
  if ('noAnswer' in answer || answer.status !== 201)
    throw new Error(`an order was not placed: ${JSON.stringify(answer)}`);
  const { orderId, lines } = jsonOf(answer) as Placed;
  return { orderId, lines: lines.map(({ lineId, quantity }) => ({ lineId, quantity })) };
}
