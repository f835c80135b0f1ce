import { startPlacing } from '../../orders/ledger-client.ts';
import type { PlacingReport } from '../../orders/ledger-client.ts';
import { placements } from '../../orders/order-bodies.ts';
import { seededRandom } from '../../orders/seeded-random.ts';
import { checkPlacedOrders, concurrency, retryForMs, tenantId, withShop } from '../placed-orders.ts';
import { identifyAll } from '../../system/processes.ts';
import type { Scenario } from '../scenario.ts';
import type { Exit } from '../../system/system.ts';
import { until } from '../../system/until.ts';

export const termDrains: Scenario = {
  id: 'term-drains',
  title: 'SIGTERM under load: every request that got in is answered, everything stops, exit 0',
  run: async ({ seed, orders, keep, say }) => {
    const ops = orders ?? ordersDefault;
    return withShop({ name: 'term-drains', keep }, async (shop) => {
      const { system, client, ledger } = shop;
      system.launch();
      await system.awaitReady();
      const orderList = placements({ count: ops, random: seededRandom(seed), prefix: `term-${seed}` });
      const common = { client, ledger, tenantId, concurrency };
      const postgres = identifyAll([(await system.postmaster()) ?? 0].filter((pid) => pid > 0));
      // No retries: every failure that a client would see is counted.
      const placing = startPlacing({ ...common, placements: orderList, retryForMs: 0 });
      await until(() => placing.acked() >= ops / 5, { withinMs: 60_000 });
      const exit = await system.terminate();
      const first = await placing.done;
      say(`ended with ${exit.code} in ${Math.round(exit.tookMs)} ms; ${first.acked} of ${ops} answered before`);
      const isPostgresStopped =
        (await system.postmaster()) === null && identifyAll(postgres.map(({ pid }) => pid)).length === 0;
      system.launch();
      const readyMs = await system.awaitReady();
      const readyAt = performance.now();
      const rest = first.unresolved.map(({ placement }) => placement);
      const second = await startPlacing({ ...common, placements: rest, retryForMs }).done;
      const problems = [...problemsOfDrain(first, exit), ...(isPostgresStopped ? [] : ['Postgres was not stopped'])];
      const facts = {
        exit: exit.code ?? String(exit.signal),
        t_exit: `${(exit.tookMs / 1_000).toFixed(1)}s`,
        refused: rest.length,
      };
      return checkPlacedOrders(shop, { seed, ops, placed: joined(first, second), readyMs, readyAt, facts, problems });
    });
  },
};

const ordersDefault = 1_000;
const exitWithinMs = 10_000;
/** Nobody listens any more: the one failure that a client may see. */
const cleanRefusal = 'ECONNREFUSED';

export function problemsOfDrain(placed: Pick<PlacingReport, 'errors'>, exit: Exit): readonly string[] {
  const errors = [...placed.errors].filter(([code]) => code !== cleanRefusal);
  const wasUnderLoad = placed.errors.has(cleanRefusal);
  return [
    ...errors.map(([code, count]) => `${count} clients met ${code} while the server drained`),
    ...(wasUnderLoad ? [] : ['the load ended before the server did, so it proves nothing']),
    ...(exit.code === 0 ? [] : [`SIGTERM ended it with ${exit.code ?? String(exit.signal)}, not 0`]),
    ...(exit.tookMs <= exitWithinMs ? [] : [`it took ${Math.round(exit.tookMs)} ms to end`]),
  ];
}

/** What both rounds made of the same commands. */
function joined(first: PlacingReport, second: PlacingReport): PlacingReport {
  return {
    acked: first.acked + second.acked,
    ambiguous: first.ambiguous,
    replayed: first.replayed + second.replayed,
    unresolved: second.unresolved,
    refused: [...first.refused, ...second.refused],
    errors: first.errors,
  };
}
