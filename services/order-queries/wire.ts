import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { orderQueryRoutes } from './http/routes.ts';
import { openOrderQueries } from './order-queries.ts';
import { readMetrics } from './read-metrics.ts';

export type OrderQueriesWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots'> & {
  readonly metrics: Pick<Metrics, 'count'>;
};

/** What readers ask, behind its HTTP door. */
export function wireOrderQueries({ store, readStore, snapshots, metrics }: OrderQueriesWiring): Part {
  // The same for every process on this store: a cursor goes on wherever the next page is asked for.
  const cursorSecret = store.commandHash('order-center/cursor');
  const queries = openOrderQueries({ store, readStore, snapshots, cursorSecret, observe: readMetrics(metrics) });
  return {
    routes: [orderQueryRoutes(queries)],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
  };
}
