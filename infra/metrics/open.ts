import { Counter, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { dependencyMetrics, type AttemptedCall } from './dependency-metrics.ts';
import { openExemplarGate } from './exemplar-gate.ts';
import { openExposer, type Exposer, type Exposition } from './exposition.ts';
import { httpMetrics } from './http-metrics.ts';
import type { RequestObserver } from './http-metrics.ts';
import { operationsMetrics } from './operations-metrics.ts';
import type { OperationsMetrics } from './operations-metrics.ts';
import { orderMetrics, type OrderMetrics } from './order-metrics.ts';
import { processMetrics } from './process-metrics.ts';

/** What an HTTP door needs of metrics. */
export type HttpMetrics = {
  /** A scrape, in the format that its `Accept` header asks for: see accepted-format.ts. */
  expose(accept?: string): Promise<Exposition>;
  readonly observeRequest: RequestObserver;
};

export type Metrics = HttpMetrics &
  OperationsMetrics &
  OrderMetrics & {
    /** OpenMetrics text. */
    text(): Promise<string>;
    /** From a placement's arrival at its door to its durable answer. */
    readonly observePlacement: (seconds: number, traceId: string) => void;
    /** A deduction that was asked for, and whether it was made. */
    readonly observeDeduction: (succeeded: boolean) => void;
    /** One attempt at a gateway. */
    readonly observeCall: (call: AttemptedCall) => void;
  };

/** The metrics of one process, in a registry of its own: names of contract.md's first block, and what operators ask for. */
export function openMetrics(): Metrics {
  return registered(openExposer());
}

/** In a registry of the caller's: see document.ts. */
export function registered({ registry, expose }: Exposer): Metrics {
  processMetrics(registry);
  return {
    expose,
    text: async () => (await expose()).body,
    observeRequest: httpMetrics(registry),
    ...orderMetrics(registry),
    observePlacement: placementMetrics(registry),
    observeDeduction: deductionMetrics(registry),
    observeCall: dependencyMetrics(registry),
    ...operationsMetrics(registry),
  };
}

function placementMetrics(registry: Registry): Metrics['observePlacement'] {
  const buckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
  const created = new Histogram<string>({
    name: 'order_create_latency_seconds',
    help: 'From the arrival of a placement to its durable answer',
    buckets,
    enableExemplars: true,
    registers: [registry],
  });
  const gate = openExemplarGate(buckets);
  return (value, traceId) => {
    if (gate(value, performance.now())) created.observe({ value, exemplarLabels: { trace_id: traceId } });
    else created.observe({ value });
  };
}

function deductionMetrics(registry: Registry): Metrics['observeDeduction'] {
  const registers = [registry];
  const asked = new Counter({ name: 'inventory_deduct_total', help: 'Stock deductions asked for', registers });
  const made = new Counter({ name: 'inventory_deduct_success_total', help: 'Stock deductions made', registers });
  return (succeeded) => {
    asked.inc();
    if (succeeded) made.inc();
  };
}
