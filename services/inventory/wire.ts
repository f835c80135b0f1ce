import type { Routes } from '../../infra/http-server/app.ts';
import { countReplays } from '../../infra/metrics/dedupe-hits.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { stockDoorRoutes } from './http/door-routes.ts';
import { stockRoutes } from './http/routes.ts';
import { openInventory, type Inventory } from './open.ts';

export type InventoryWiring = Pick<Stores, 'store'> & { readonly metrics: Metrics };

export type WiredInventory = Part & {
  readonly inventory: Inventory;
  /** For our other processes. Where all run in one, nobody asks over HTTP, and strangers find no such door. */
  readonly doorRoutes: readonly Routes[];
};

/** The service that decides stock, behind its HTTP door and behind the one for our other services. */
export function wireInventory({ store, metrics }: InventoryWiring): WiredInventory {
  const { observeDeduction } = metrics;
  const inventory = openInventory({ store, observe: countReplays(metrics), observeDeduction });
  return {
    inventory,
    doorRoutes: [stockDoorRoutes(inventory)],
    routes: [stockRoutes(inventory)],
    readiness: [{ name: 'event-store', check: () => store.ping() }],
  };
}
