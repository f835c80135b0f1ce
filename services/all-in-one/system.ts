import type { Logger } from 'pino';
import type { Config } from '../../infra/config/config.ts';
import { openEventFeed } from '../../infra/event-feed/open.ts';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import { openHttpServer, type HttpServer } from '../../infra/http-server/open.ts';
import { openMetrics, type Metrics } from '../../infra/metrics/open.ts';
import { openFulfillment, sagaDecider, type Fulfillment } from '../fulfillment/open.ts';
import type { Observation } from '../fulfillment/observe.ts';
import { stockRoutes } from '../inventory/http/routes.ts';
import { openInventory } from '../inventory/open.ts';
import { orderCommandRoutes } from '../order-commands/http/routes.ts';
import { openOrderCommands } from '../order-commands/open.ts';
import { orderQueryRoutes } from '../order-queries/http/routes.ts';
import type { QueryObserver } from '../order-queries/get-order.ts';
import { openOrderQueries } from '../order-queries/order-queries.ts';
import { apiDescription } from './api-description.ts';
import { runConsumers } from './consumers.ts';
import { openGateways, type Gateways } from './gateways.ts';
import { openStores, type Stores } from './stores.ts';

export type SystemOptions = {
  readonly config: Config;
  readonly log: Logger;
};

export type System = {
  /** Of the HTTP door. */
  readonly url: string;
  readonly simulatorUrls: Readonly<Record<string, string>>;
  readonly postgresUrl: string;
  /** Rejects with what makes going on pointless: a consumer's bug, a foreign store, a database that stays dead. */
  readonly failed: Promise<never>;
  /** Drains: doors first, then consumers, then stores. Repeatable. */
  close(): Promise<void>;
};

/** Every role in one process, wired by hand: this file is the deployment. */
export async function openSystem({ config, log }: SystemOptions): Promise<System> {
  await using opening = new AsyncDisposableStack();
  const metrics = openMetrics();
  const stores = await openStores(config, opening, (line) => log.info(line));
  const gateways = await openGateways({ config, metrics }, opening);
  // One feed for all: its consumers share what they read of the log.
  const feed = openEventFeed(stores.store);
  const { server, fulfillment } = await openServices({ config, log, metrics, stores, gateways, feed });

  const stopping = new AbortController();
  const consumers = heard(runConsumers({ stores, feed, fulfillment, metrics, log }, stopping.signal));
  opening.defer(async () => {
    stopping.abort();
    await Promise.allSettled([consumers]);
  });
  opening.defer(() => server.close());
  const url = await server.listen();

  const running = opening.move();
  let closing: Promise<void> | undefined;
  return {
    url,
    simulatorUrls: gateways.simulatorUrls,
    postgresUrl: stores.postgresUrl,
    failed: heard(failureOf(consumers, stores, () => closing !== undefined)),
    close: () => (closing ??= running.disposeAsync()),
  };
}

type Opened = {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly stores: Stores;
  readonly gateways: Gateways;
  readonly feed: EventFeed;
};
type Services = { readonly server: HttpServer; readonly fulfillment: Fulfillment };

async function openServices({ config, log, metrics, stores, gateways, feed }: Opened): Promise<Services> {
  const { store, subjectKeys, paymentTokens, readStore, snapshots } = stores;
  const deduped = (what: 'replayed' | 'conflict'): void => {
    if (what === 'replayed') metrics.count('command_dedupe_hits_total', 'http');
  };
  const commands = openOrderCommands({ store, subjectKeys, paymentTokens, observe: deduped });
  const inventory = openInventory({ store, observe: deduped, observeDeduction: metrics.observeDeduction });
  // The same for every process on this store: a cursor goes on wherever the next page is asked for.
  const cursorSecret = store.commandHash('order-center/cursor');
  const queries = openOrderQueries({ store, readStore, snapshots, cursorSecret, observe: observingReads(metrics) });
  const fulfillment = openFulfillment({
    transactor: openTransactor(store, { decider: sagaDecider }),
    feed,
    readStore,
    ...gateways,
    orders: commands.door,
    inventory: inventory.door,
    tokens: paymentTokens,
    // One event loop serves doors, sagas and simulators: when it stalls, every call in flight times out at once. Fewer
    // of them than open a breaker (20), so that a stall of our own is not taken for an outage.
    limits: { drivesMax: 18 },
    unpaidExpiryMs: (method) => config.unpaidExpiryMsByMethod[method] ?? config.unpaidExpiryMs,
    observe: (observation) => noteSaga(log, observation),
  });
  metrics.watch('queue_depth', () => [{ of: 'appends', value: store.status().queued }]);
  metrics.watch('queue_depth', () => [{ of: 'snapshot-reads', value: snapshots.status().reading }]);
  metrics.watch('snapshots_up', () => [{ of: snapshots.status().kind, value: snapshots.status().isUp ? 1 : 0 }]);
  metrics.watch('sagas', () => Object.entries(fulfillment.status()).map(([of, value]) => ({ of, value })));
  const server = await openHttpServer({
    host: config.host,
    port: config.port,
    log,
    metrics,
    api: apiDescription,
    routes: [
      orderCommandRoutes({
        commands,
        summaryAt: (tenantId, orderId, version) => queries.summaryAt(tenantId, orderId, version),
        observePlacement: metrics.observePlacement,
      }),
      orderQueryRoutes(queries),
      stockRoutes(inventory),
    ],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
  });
  return { server, fulfillment };
}

function observingReads(metrics: Metrics): QueryObserver {
  return { onSnapshotRead: (read) => metrics.count('snapshot_reads_total', read) };
}

/** What an operator wants to read; the rest are metrics. */
function noteSaga(log: Logger, observation: Observation): void {
  if (observation.what === 'bug' || observation.what === 'loop-failed')
    log.error(observation, `fulfillment: ${observation.what}`);
  else if (observation.what === 'drive-stopped') log.warn(observation, 'a saga stopped; the watchdog drives it again');
  else log.debug(observation, `fulfillment: ${observation.what}`);
}

/** Node ends a process on a rejection that nobody listens to yet, and Postgres would run on without its owner. */
function heard<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

async function failureOf(consumers: Promise<void>, stores: Stores, isClosing: () => boolean): Promise<never> {
  const lost = stores.lost.then((reason) => {
    if (!isClosing()) throw new Error(reason);
  });
  await Promise.race([consumers, lost]);
  if (isClosing()) return new Promise(() => undefined);
  throw new Error('the consumers ended by themselves');
}
