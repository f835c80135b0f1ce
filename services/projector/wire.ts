import type { Logger } from 'pino';
import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import { logLeases } from '../../infra/leases/lease-log.ts';
import { runLeased } from '../../infra/leases/run-leased.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import type { Part } from '../../infra/process/part.ts';
import type { Stores } from '../../infra/process/stores.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { sagaTimers } from '../../projections/saga-timers/projection.ts';
import { runEventMetrics } from './event-metrics.ts';
import { runProjector, type ProjectorObserver } from './projector.ts';
import { openSnapshotWriter } from './snapshot-writer.ts';

export type ProjectorWiring = Pick<Stores, 'store' | 'readStore' | 'snapshots' | 'leases'> & {
  readonly feed: EventFeed;
  readonly metrics: Metrics;
  readonly log: Logger;
};

/** One thing that follows the log, of which one process at a time does the work. */
type Follower = { readonly lease: string; readonly run: (signal: AbortSignal) => Promise<void> };

/** Everything that follows the log to keep what readers and operators see. */
export function wireProjector(wiring: ProjectorWiring): Part {
  const { store, readStore, leases } = wiring;
  const followers = followersOf(wiring);
  const observe = logLeases(
    wiring,
    followers.map(({ lease }) => lease),
  );
  return {
    routes: [],
    readiness: [
      { name: 'event-store', check: () => store.ping() },
      { name: 'read-store', check: () => readStore.ping() },
    ],
    run: async (signal) => {
      await Promise.all(followers.map(({ lease, run }) => runLeased({ leases, name: lease, signal, run, observe })));
    },
  };
}

function followersOf({ store, readStore, snapshots, feed, metrics, log }: ProjectorWiring): readonly Follower[] {
  const { observe, forget } = observing(metrics, log);
  const common = { feed, store, readStore, observe };
  const onRefused = (count: number): void => {
    for (let refused = 0; refused < count; refused += 1) metrics.count('stale_writes_refused_total', 'snapshots');
  };
  const afterCommit = openSnapshotWriter(snapshots, { onRefused });
  const follower = ({ view }: { readonly view: { readonly name: string } }, run: Follower['run']): Follower => ({
    lease: `projector/${view.name}`,
    run: (signal) => run(signal).finally(() => forget(view.name)),
  });
  return [
    follower(orderSummary, async (signal) => {
      try {
        await runProjector({ ...common, projection: orderSummary, afterCommit, signal });
      } finally {
        // What a cache in this process holds is kept current by nobody from here on.
        await snapshots.writerRestarted();
      }
    }),
    follower(openSagas, (signal) => runProjector({ ...common, projection: openSagas, signal })),
    follower(sagaTimers, (signal) => runProjector({ ...common, projection: sagaTimers, signal })),
    {
      // Under a lease, so that what all processes counted adds up.
      lease: 'event-metrics',
      run: (signal) => runEventMetrics({ feed, store, metrics, onFailure: noted(log) }, signal),
    },
  ];
}

type Observing = {
  readonly observe: ProjectorObserver;
  /** Whose work it is no more cannot say how far it is. */
  readonly forget: (view: string) => void;
};

function observing(metrics: Metrics, log: Logger): Observing {
  const lags = new Map<string, number>();
  metrics.watch('projection_lag_seconds', () => [...lags].map(([of, lagMs]) => ({ of, value: lagMs / 1_000 })));
  return {
    observe: {
      onBatch: ({ view, lagMs }) => lags.set(view, lagMs),
      onFailure: noted(log),
      onRefused: (view) => metrics.count('stale_writes_refused_total', view),
      onFork: ({ view, stream, revision }) => log.error({ view, stream, revision }, 'one revision has two ids'),
    },
    forget: (view) => lags.delete(view),
  };
}

function noted(log: Logger): (stop: ConsumerStop) => void {
  return ({ consumer, failure, restartInMs }) =>
    log.warn({ consumer, code: failure.code, restartInMs }, 'a consumer starts again from its checkpoint');
}
