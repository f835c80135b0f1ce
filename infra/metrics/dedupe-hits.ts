import type { Metrics } from './open.ts';

/** Observes a transactor: counts the commands that were answered from their first run. */
export function countReplays(metrics: Pick<Metrics, 'count'>): (what: 'replayed' | 'conflict') => void {
  return (what) => {
    if (what === 'replayed') metrics.count('command_dedupe_hits_total', 'http');
  };
}
