import { startPlacing } from '../../orders/ledger-client.ts';
import { placements } from '../../orders/order-bodies.ts';
import { between, seededRandom } from '../../orders/seeded-random.ts';
import { checkPlacedOrders, concurrency, retryForMs, tenantId, withShop } from '../placed-orders.ts';
import type { FaultReport } from '../../system/fault-report.ts';
import type { Scenario, ScenarioContext } from '../scenario.ts';
import type { Victims } from '../../system/system.ts';
import { until } from '../../system/until.ts';

export const nodeKilled: Scenario = {
  id: 'node-killed',
  title: 'kill -9 of Node alone in the middle of placements; Postgres lives on and is adopted',
  run: (context) => killedOnce(context, 'node'),
};

export const nodeAndPostgresKilled: Scenario = {
  id: 'node-and-postgres-killed',
  title: 'kill -9 of Node and of every process of Postgres in the middle of placements',
  run: (context) => killedOnce(context, 'node-and-postgres'),
};

const ordersDefault = 1_000;
const placingWithinMs = 60_000;

async function killedOnce(context: ScenarioContext, victims: Victims): Promise<FaultReport> {
  const { seed, orders, keep, say } = context;
  const random = seededRandom(seed);
  const ops = orders ?? ordersDefault;
  const killAfter = between(random, Math.ceil(ops * 0.3), Math.floor(ops * 0.7));
  return withShop({ name: victims, keep }, async (shop) => {
    const { system, client, ledger } = shop;
    system.launch();
    await system.awaitReady();
    const orderList = placements({ count: ops, random, prefix: `${victims}-${seed}` });
    const placing = startPlacing({ client, ledger, tenantId, placements: orderList, concurrency, retryForMs });
    const isMiddle = await until(() => placing.acked() >= killAfter, { withinMs: placingWithinMs });
    const atKill = { acked: placing.acked(), inFlight: placing.inFlight() };
    await system.kill(victims);
    say(`killed after ${atKill.acked} answers, with ${atKill.inFlight} in flight`);
    system.launch();
    const readyMs = await system.awaitReady();
    const readyAt = performance.now();
    const placed = await placing.done;
    const isProof = isMiddle && atKill.acked < ops && atKill.inFlight > 0;
    const problems = isProof ? [] : ['the kill was not in the middle of the placements, so it proves nothing'];
    const facts = { acked_before: atKill.acked, in_flight_at_kill: atKill.inFlight };
    return checkPlacedOrders(shop, { seed, ops, placed, readyMs, readyAt, facts, problems });
  });
}
