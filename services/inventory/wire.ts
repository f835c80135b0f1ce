import { countReplays } from '../../infra/metrics/dedupe-hits.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { stockRoutes } from './http/routes.ts';
import { openInventory, type Inventory } from './open.ts';

export type InventoryWiring = Pick<Stores, 'store'> & { readonly metrics: Metrics };

/** The service that decides stock, behind its HTTP door and behind the one for our other services. */
export function wireInventory({ store, metrics }: InventoryWiring): Part & { readonly inventory: Inventory } {
  const { observeDeduction } = metrics;
  const inventory = openInventory({ store, observe: countReplays(metrics), observeDeduction });
  return {
    inventory,
    routes: [stockRoutes(inventory)],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
  };
}
