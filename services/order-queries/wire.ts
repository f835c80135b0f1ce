import type { Logger } from 'pino';
import { openEventFeed } from '../../infra/event-feed/open.ts';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { orderQueryRoutes } from './http/routes.ts';
import type { LiveLimits } from './live/limits.ts';
import { openOrderQueries, type OrderQueries } from './order-queries.ts';
import { readMetrics } from './read-metrics.ts';

export type OrderQueriesWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots' | 'subjectKeys'> & {
  /** Of the store's log; shared by the consumers of a process. One of its own if absent. */
  readonly feed?: EventFeed;
  readonly metrics: Pick<Metrics, 'watch' | 'count'>;
  readonly log: Logger;
  readonly liveLimits?: Partial<LiveLimits>;
};

/** What readers ask, behind its HTTP door. */
export function wireOrderQueries(wiring: OrderQueriesWiring): Part & { readonly queries: OrderQueries } {
  const {
    store,
    readStore,
    snapshots,
    subjectKeys,
    feed = openEventFeed(store),
    metrics,
    log,
    liveLimits = {},
  } = wiring;
  // The same for every process on this store: a cursor goes on wherever the next page is asked for, and ends with the epoch.
  const cursorSecret = store.commandHash(`order-center/cursor/${store.epoch}`);
  const onLiveFailure = (failure: unknown): void => log.error({ err: failure }, 'live updates ended');
  const observe = { ...readMetrics(metrics), onLiveFailure };
  const queries = openOrderQueries({
    store,
    readStore,
    snapshots,
    subjectKeys,
    feed,
    liveLimits,
    cursorSecret,
    observe,
  });
  metrics.watch('queue_depth', () => [{ of: 'event-streams', value: queries.live.clients() }]);
  return {
    queries,
    routes: [orderQueryRoutes(queries)],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
  };
}
