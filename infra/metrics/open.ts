import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { OpenMetricsContentType } from 'prom-client';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { httpMetrics } from './http-metrics.ts';
import type { RequestObserver } from './http-metrics.ts';
import { operationsMetrics } from './operations-metrics.ts';
import type { OperationsMetrics } from './operations-metrics.ts';
import { orderMetrics } from './order-metrics.ts';

/** What an HTTP door needs of metrics. */
export type HttpMetrics = {
  readonly contentType: string;
  /** OpenMetrics text. */
  text(): Promise<string>;
  readonly observeRequest: RequestObserver;
};

export type Metrics = HttpMetrics &
  OperationsMetrics & {
    /** Every event of the feed, in each stream's order: created, status, durations, payments, shipping. */
    readonly observeEvent: (event: RecordedEvent) => void;
    /** From a placement's arrival at its door to its durable answer. */
    readonly observePlacement: (seconds: number) => void;
    /** A deduction that was asked for, and whether it was made. */
    readonly observeDeduction: (succeeded: boolean) => void;
  };

/** The metrics of one process, in a registry of its own: names of contract.md's first block, and what operators ask for. */
export function openMetrics(): Metrics {
  const registry = openMetricsRegistry();
  const registers = [registry];
  // Event-loop lag, GC pauses, memory, handles.
  collectDefaultMetrics({ register: registry });
  eventLoopUtilization(registry);
  const created = new Histogram({
    name: 'order_create_latency_seconds',
    help: 'From the arrival of a placement to its durable answer',
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  });
  const deductions = new Counter({ name: 'inventory_deduct_total', help: 'Stock deductions asked for', registers });
  const deducted = new Counter({
    name: 'inventory_deduct_success_total',
    help: 'Stock deductions made',
    registers,
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    observeRequest: httpMetrics(registry),
    observeEvent: orderMetrics(registry),
    observePlacement: (seconds) => created.observe(seconds),
    observeDeduction: (succeeded) => {
      deductions.inc();
      if (succeeded) deducted.inc();
    },
    ...operationsMetrics(registry),
  };
}

function openMetricsRegistry(): Registry {
  const registry = new Registry<OpenMetricsContentType>();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  // prom-client's types let metrics join only a registry of its older text format; the classes are the same.
  return registry as unknown as Registry;
}

function eventLoopUtilization(registry: Registry): void {
  let before = performance.eventLoopUtilization();
  new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of the time since the last scrape in which the event loop was busy',
    registers: [registry],
    collect() {
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
    },
  });
}
