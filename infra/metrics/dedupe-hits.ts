import type { Metrics } from './open.ts';

/** Observes a transactor behind a door: answers that a receipt gave, and decisions that lost a race. */
export function countReplays(metrics: Pick<Metrics, 'count'>): (what: 'replayed' | 'conflict') => void {
  metrics.count('command_dedupe_hits_total', 'http', 0);
  metrics.count('command_conflicts_total', 'http', 0);
  return (what) => metrics.count(what === 'replayed' ? 'command_dedupe_hits_total' : 'command_conflicts_total', 'http');
}
