import type { Metrics } from '../../infra/metrics/open.ts';
import { openSampler } from '../../infra/metrics/sample.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import type { Observation, Observe } from './observe.ts';
import type { Fulfillment } from './open.ts';

type Counting = Pick<Metrics, 'count'>;

/** Counts what the sagas do. */
export function sagaMetrics(metrics: Counting): Observe {
  for (const state of ['completed', 'compensated', 'quarantined']) metrics.count('sagas_ended_total', state, 0);
  for (const reason of ['bug', 'loop']) metrics.count('saga_stops_total', reason, 0);
  return (observation) => countObservation(metrics, observation);
}

function countObservation(metrics: Counting, observation: Observation): void {
  switch (observation.what) {
    case 'step':
      metrics.count('saga_steps_total', [observation.step, observation.direction, observation.outcome]);
      return;
    case 'saga-ended':
      metrics.count('sagas_ended_total', observation.status.toLowerCase());
      return;
    case 'drive-stopped':
      metrics.count('saga_stops_total', observation.code);
      return;
    case 'bug':
      metrics.count('saga_stops_total', 'bug');
      return;
    case 'loop-failed':
      metrics.count('saga_stops_total', 'loop');
      return;
    case 'redriven':
      metrics.count('saga_redrives_total', []);
      return;
    case 'checkpoint-refused':
      metrics.count('stale_writes_refused_total', 'fulfillment');
      return;
    case 'timer-fired':
    case 'order-parked':
      // What is parked is counted where it is kept, whoever parked it.
      return;
  }
}

/** Always shown, also with none in them: an alert on a state that was never there would never fire. */
const states = ['running', 'compensating', 'quarantined'];

/** Shows the sagas that have not ended, of all processes, and what this one has in hand of them. */
export function watchSagas(
  metrics: Pick<Metrics, 'watch'>,
  { readStore, status }: { readonly readStore: Pick<ReadStore, 'countBy'>; readonly status: Fulfillment['status'] },
): void {
  const sample = openSampler(() => readStore.countBy(openSagas.view, 'status'), { freshMs: 5_000 });
  metrics.watch('sagas', async () => {
    const counted = await sample();
    if (counted?.isFresh !== true) throw new Error('the open sagas could not be counted');
    return states.map((of) => ({ of, value: counted.value.get(of) ?? 0 }));
  });
  metrics.watch('saga_drives', () => Object.entries(status()).map(([of, value]) => ({ of, value })));
  metrics.watch('queue_depth', () => [{ of: 'saga-drives', value: status().waiting }]);
}
