import type { EventStore } from '../event-store/port.ts';
import { poolUse } from '../postgres/pool-use.ts';
import type { OperationsMetrics } from './operations-metrics.ts';
import { openSampler } from './sample.ts';

/** An append takes some milliseconds: who is named here stands in everybody's way. */
const holderShownAfterMs = 1_000;

/** How the event store and the database connections of this process are doing. */
export function watchStore(
  metrics: Pick<OperationsMetrics, 'watch'>,
  store: Pick<EventStore, 'status' | 'fenceHold'>,
): void {
  metrics.watch('queue_depth', () => [{ of: 'appends', value: store.status().queued }]);
  const sample = openSampler(() => store.fenceHold());
  const hold = async () => {
    const taken = await sample();
    // What the database does not answer is not known, and left out.
    if (taken?.isFresh !== true) throw new Error('the fence could not be asked for');
    return taken.value;
  };
  metrics.watch('append_fence_held_seconds', async () => [{ of: [], value: ((await hold())?.heldMs ?? 0) / 1_000 }]);
  metrics.watch('append_fence_holder_seconds', async () => {
    const held = await hold();
    if (held === null || held.heldMs < holderShownAfterMs) return [];
    return [{ of: [String(held.pid), held.application, held.user], value: held.heldMs / 1_000 }];
  });
  watchPools(metrics);
}

function watchPools(metrics: Pick<OperationsMetrics, 'watch'>): void {
  metrics.watch('postgres_pool_connections', () =>
    poolUse().flatMap(({ name, total, idle }) => [
      { of: [name, 'idle'], value: idle },
      { of: [name, 'used'], value: total - idle },
    ]),
  );
  metrics.watch('postgres_pool_waiting', () => poolUse().map(({ name, waiting }) => ({ of: name, value: waiting })));
}
