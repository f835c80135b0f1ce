import { Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

export type AttemptedCall = { readonly dependency: string; readonly outcome: string; readonly durationMs: number };

/** Attempts at other systems: how long they take and what comes of them. Outcomes are codes, so they are few. */
export function dependencyMetrics(registry: Registry): (call: AttemptedCall) => void {
  const durations = new Histogram({
    name: 'dependency_call_duration_seconds',
    help: 'Duration of one attempt at a dependency; outcome: answered, or the code of its failure',
    labelNames: ['dependency', 'outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5],
    registers: [registry],
  });
  return ({ dependency, outcome, durationMs }) => durations.observe({ dependency, outcome }, durationMs / 1_000);
}
