import type { Metrics } from '../../infra/metrics/open.ts';
import type { Observer } from '../../infra/resilience/protect.ts';

const openness = { closed: 0, 'half-open': 0.5, open: 1 } as const;

/** Metrics of what is called under these names. */
export function observing(metrics: Metrics, names: readonly string[]): Observer {
  // Each is there before its first call: closed.
  const states = new Map<string, number>(names.map((name) => [name, openness.closed]));
  for (const name of names) metrics.count('retries_total', name, 0);
  metrics.watch('breaker_open', () => [...states].map(([of, value]) => ({ of, value })));
  return {
    onAttempt: (attempt) => {
      metrics.observeCall(attempt);
      if (attempt.number > 1) metrics.count('retries_total', attempt.dependency);
    },
    onStateChange: ({ dependency, state }) => states.set(dependency, openness[state]),
  };
}
