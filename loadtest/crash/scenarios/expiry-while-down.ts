import { setTimeout as wait } from 'node:timers/promises';

import { startPlacing } from '../../orders/ledger-client.ts';
import type { HttpClient } from '../../orders/http-client.ts';
import { readLedgerFile } from '../../orders/ledger-file.ts';
import type { Placement } from '../../orders/order-bodies.ts';
import { placements } from '../../orders/order-bodies.ts';
import { awaitStatus, readFeed, readOrders } from '../../orders/read-orders.ts';
import { seededRandom } from '../../orders/seeded-random.ts';
import { miscountedExpiries } from '../expiries.ts';
import { verify } from '../../system/order-center.ts';
import { retryForMs, tenantId, withShop } from '../placed-orders.ts';
import type { Shop } from '../placed-orders.ts';
import type { FaultReport } from '../../system/fault-report.ts';
import type { Scenario } from '../scenario.ts';
import { until } from '../../system/until.ts';

export const expiryWhileDown: Scenario = {
  id: 'expiry-while-down',
  title: 'unpaid orders whose time passes while everything is dead expire after the start, once',
  run: async ({ seed, keep, say }) => {
    const environment = { UNPAID_EXPIRY_MS: String(expiryMs) };
    return withShop({ name: 'expiry-while-down', environment, keep }, async (shop) => {
      const random = seededRandom(seed);
      const orders = placements({ count: ordersPlaced, random, prefix: `expiry-${seed}`, method: 'bank_slip' });
      const death = await placeAndDie(shop, orders, say);
      await wait(Math.max(0, death.dueAt + 500 - Date.now()));
      shop.system.launch();
      const readyMs = await shop.system.awaitReady();
      const readyAt = performance.now();
      const first = await expectExpired(shop, readyAt + expiredWithinMs);
      const consistentMs = first.problems.length === 0 ? performance.now() - readyAt : null;
      const again = await expectStillOnce(shop);
      const verified = await verify(shop.system, { ledger: shop.ledger.path, required: ['I1'] });
      const report: FaultReport = {
        seed,
        ops: ordersPlaced,
        acked: death.acked,
        lost: first.missing,
        dup: 0,
        ambiguous: 0,
        unresolved: ordersPlaced - death.acked,
        readyMs,
        consistentMs,
        facts: { timers_before: death.timersBefore },
        problems: [...death.problems, ...first.problems, ...again, ...verified],
      };
      return report;
    });
  },
};

const expiryMs = 3_000;
/** The first half has its timers before the kill; of the last ones the saga has hardly heard. */
const ordersPlaced = 20;
const expiredWithinMs = 30_000;
const quietMs = 2_000;

type Death = {
  readonly acked: number;
  readonly timersBefore: number;
  /** Of `Date.now()`: when the last order's time is up. */
  readonly dueAt: number;
  readonly problems: readonly string[];
};

async function placeAndDie(shop: Shop, orders: readonly Placement[], say: (line: string) => void): Promise<Death> {
  const { system, client, ledger } = shop;
  system.launch();
  await system.awaitReady();
  const startedAt = Date.now();
  const half = ordersPlaced / 2;
  const place = (some: readonly Placement[]) =>
    startPlacing({ client, ledger, tenantId, placements: some, concurrency: half, retryForMs }).done;
  const early = await place(orders.slice(0, half));
  const isScheduled = await until(async () => (await countTimers(client)) >= half, {
    withinMs: expiryMs / 2,
    everyMs: 50,
  });
  const timersBefore = await countTimers(client);
  const late = await place(orders.slice(half));
  const placedAt = Date.now();
  await system.kill('node-and-postgres');
  const killedAfterMs = Date.now() - startedAt;
  say(`killed ${killedAfterMs} ms after the first order, ${Date.now() - placedAt} ms after the last answer`);
  return {
    acked: early.acked + late.acked,
    timersBefore,
    dueAt: placedAt + expiryMs,
    problems: [
      ...(isScheduled ? [] : [`only ${timersBefore} timers were scheduled before the kill`]),
      ...(killedAfterMs < expiryMs ? [] : ['the first order was due before the kill, so it proves nothing']),
    ],
  };
}

type Expired = { readonly missing: number; readonly problems: readonly string[] };

/** What does not hold by then. */
async function expectExpired({ client, ledger }: Shop, deadline: number): Promise<Expired> {
  const orderIds = (await readLedgerFile(ledger.path)).map(({ orderId }) => orderId);
  const left = await awaitStatus(client, { orderIds, status: 'cancelled', deadline });
  const readings = await readOrders(client, orderIds);
  const otherReasons = [...readings].filter(
    ([id, reading]) => !left.has(id) && reading?.cancelReason !== 'payment_expired',
  );
  const problems = [
    ...[...left].map(([id, reading]) => `order ${id} is ${reading?.status ?? 'missing'} after its time`),
    ...otherReasons.map(([id, reading]) => `order ${id} was cancelled for ${reading?.cancelReason ?? 'no reason'}`),
    ...(await miscounted(client, orderIds)),
  ];
  return { missing: [...left.values()].filter((reading) => reading === null).length, problems };
}

/** A further death, and time in which a second firing would show. */
async function expectStillOnce({ system, client, ledger }: Shop): Promise<readonly string[]> {
  await system.kill('node-and-postgres');
  system.launch();
  await system.awaitReady();
  await wait(quietMs);
  const orderIds = (await readLedgerFile(ledger.path)).map(({ orderId }) => orderId);
  return (await miscounted(client, orderIds)).map((problem) => `after another restart, ${problem}`);
}

async function miscounted(client: HttpClient, orderIds: readonly string[]): Promise<readonly string[]> {
  const query = 'category=order,fulfillment&types=TimerFired,OrderExpired';
  return miscountedExpiries(orderIds, await readFeed(client, query));
}

async function countTimers(client: HttpClient): Promise<number> {
  const timers = await readFeed(client, 'category=fulfillment&types=TimerScheduled');
  return timers.filter(({ data }) => data.kind === 'unpaid-expiry').length;
}
