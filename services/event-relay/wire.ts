import type { Logger } from 'pino';
import { relayConsumer, type EventFeed } from '../../infra/event-feed/port.ts';
import { watchBatches, wedgedConsumers } from '../../infra/event-feed/watch-batches.ts';
import type { KafkaProducer } from '../../infra/kafka/port.ts';
import { logLeases } from '../../infra/leases/lease-log.ts';
import { runLeased } from '../../infra/leases/run-leased.ts';
import { watchLogLag } from '../../infra/metrics/log-lag.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import type { Topics } from '../../infra/topics/port.ts';
import { eventTopics } from '../../schemas/wire/event-record.ts';
import { relayedCategories, runRelay, type RelayObserver, type RunRelayOptions } from './relay.ts';

export type RelayWiring = Pick<Stores, 'store' | 'readStore' | 'leases'> &
  Pick<RunRelayOptions, 'schemas' | 'topicPrefix' | 'lookEveryMs'> & {
    /** The event store's own log, never a feed that this relay fills. */
    readonly feed: EventFeed;
    readonly producer: KafkaProducer;
    readonly topics: Topics;
    readonly metrics: Metrics;
    readonly log: Logger;
  };

/** Publishes the log to Kafka. There may be several of it: one at a time does the work, the others wait for its lease. */
export function wireRelay(wiring: RelayWiring): Part {
  const { store, readStore, leases, producer, topics, metrics } = wiring;
  const feed = watchBatches(wiring.feed);
  watchLogLag({ metrics, store, readStore }, 'relay', [{ consumer: relayConsumer, categories: relayedCategories }]);
  metrics.watch('queue_depth', () => [{ of: 'relay-produce', value: producer.waiting() }]);
  const observe = observing(wiring);
  const observeLease = logLeases(wiring, [relayConsumer]);
  return {
    routes: [],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
      { name: 'kafka', check: () => topics.brokers().then(() => undefined) },
    ],
    liveness: [{ name: relayConsumer, wedged: () => wedgedConsumers(feed) }],
    run: (signal) =>
      runLeased({
        ...{ leases, name: relayConsumer, signal, observe: observeLease },
        run: (held) => runRelay({ ...wiring, feed, observe, signal: held }),
      }),
  };
}

function observing({ metrics, log }: Pick<RelayWiring, 'metrics' | 'log'>): RelayObserver {
  for (const topic of Object.values(eventTopics)) metrics.count('relay_records_total', topic, 0);
  metrics.count('relay_batches_total', [], 0);
  metrics.count('relay_republished_total', [], 0);
  metrics.count('consumer_restarts_total', relayConsumer, 0);
  return {
    onBatch: (records) => {
      metrics.count('relay_batches_total', []);
      for (const [topic, count] of records) metrics.count('relay_records_total', topic, count);
    },
    onLoss: (topic) => {
      metrics.count('relay_republished_total', []);
      log.warn({ topic }, 'a topic lost records: the log is published again from its beginning');
    },
    onFailure: ({ consumer, failure, restartInMs }) => {
      metrics.count('consumer_restarts_total', consumer);
      log.warn({ consumer, code: failure.code, restartInMs }, 'the relay failed and starts again');
    },
  };
}
