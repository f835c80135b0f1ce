import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import { watchBatches, wedgedConsumers } from '../../infra/event-feed/watch-batches.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import type { Config } from '../../infra/config/config.ts';
import { logLeases } from '../../infra/leases/lease-log.ts';
import { runLeased } from '../../infra/leases/run-leased.ts';
import { watchLogLag } from '../../infra/metrics/log-lag.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import type { ParkedConsumer } from '../../infra/read-store/parking.ts';
import type { Doors } from './doors.ts';
import { openGateways, type GatewayUrls } from './gateways.ts';
import { sagaMetrics, watchSagas } from './observe-metrics.ts';
import type { Observation } from './observe.ts';
import { openFulfillment, sagaDecider } from './open.ts';
import { openWaitingOrders } from './waiting-orders.ts';

export type FulfillmentWiring = Pick<Stores, 'store' | 'readStore' | 'paymentTokens' | 'leases'> &
  Doors & {
    readonly feed: EventFeed;
    readonly gatewayUrls: GatewayUrls;
    readonly config: Pick<Config, 'unpaidExpiryMs' | 'unpaidExpiryMsByMethod'>;
    readonly metrics: Metrics;
    readonly log: Logger;
  };

/** The sagas, with their gateways, and with the doors of the services that they ask. */
export function wireFulfillment(wiring: FulfillmentWiring): Part {
  const { store, readStore, paymentTokens, leases, orders, inventory, config, metrics, log } = wiring;
  const feed = watchBatches(wiring.feed);
  const countSaga = sagaMetrics(metrics);
  const fulfillment = openFulfillment({
    transactor: openTransactor(store, { decider: sagaDecider }),
    feed,
    readStore,
    ...openGateways(wiring.gatewayUrls, metrics),
    orders,
    inventory,
    tokens: paymentTokens,
    // One event loop serves doors, sagas and simulators: when it stalls, every call in flight times out at once. Fewer
    // of them than open a breaker (20), so that a stall of our own is not taken for an outage.
    limits: { drivesMax: 18 },
    unpaidExpiryMs: unpaidExpiryOf(config),
    observe: (observation) => {
      feed.noteProgress('fulfillment');
      countSaga(observation);
      noteSaga(log, observation);
    },
  });
  const name = 'fulfillment';
  const observe = logLeases(wiring, [name]);
  watchSagas(metrics, { readStore, status: fulfillment.status });
  watchLogLag({ metrics, store, readStore }, 'consumer', [{ consumer: 'fulfillment', categories: ['order'] }]);
  return {
    routes: [],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
      ...wiring.doorReadiness,
    ],
    liveness: [{ name, wedged: () => wedgedConsumers(feed) }],
    // Its loops belong together: one process at a time reads the orders, fires the timers and watches the sagas.
    run: (signal) => runLeased({ leases, name, signal, run: (held) => fulfillment.run(held), observe }),
  };
}

/** Orders that the order feed could not read, for the desk of whatever is parked. */
export function wireWaitingOrders({
  store,
  readStore,
  config,
}: Pick<FulfillmentWiring, 'store' | 'readStore' | 'config'>): ParkedConsumer {
  const transactor = openTransactor(store, { decider: sagaDecider, streamsMax: toldAgainMax });
  return openWaitingOrders({ store, readStore, transactor, unpaidExpiryMs: unpaidExpiryOf(config) });
}

/** Sagas kept in mind by who tells again: an operator's work, one after another. */
const toldAgainMax = 100;

function unpaidExpiryOf(config: FulfillmentWiring['config']): (method: string) => number {
  return (method) => config.unpaidExpiryMsByMethod[method] ?? config.unpaidExpiryMs;
}

/** What an operator wants to read; the rest are metrics. */
function noteSaga(log: Logger, observation: Observation): void {
  if (observation.what === 'bug' || observation.what === 'loop-failed' || observation.what === 'order-parked')
    log.error(observation, `fulfillment: ${observation.what}`);
  else if (observation.what === 'drive-stopped') log.warn(observation, 'a saga stopped; the watchdog drives it again');
  else log.debug(observation, `fulfillment: ${observation.what}`);
}
