import { performance } from 'node:perf_hooks';
import { collectDefaultMetrics, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { findPackageVersion } from './package-version.ts';

/** Sums of a labelled gauge, named as if they were counters. */
const misnamed = ['nodejs_active_resources_total', 'nodejs_active_handles_total', 'nodejs_active_requests_total'];

/** Two scrapers must not take each other's time away. */
const utilizationEveryMs = 1_000;

/** What ails the process itself: event loop, GC, memory, handles, and which build it is. */
export function processMetrics(registry: Registry): void {
  collectDefaultMetrics({ register: registry });
  for (const name of misnamed) registry.removeSingleMetric(name);
  eventLoopUtilization(registry);
  new Gauge({
    name: 'order_center_build_info',
    help: 'Always 1; which version runs. A restart is a change of process_start_time_seconds',
    labelNames: ['version'],
    registers: [registry],
  }).set({ version: findPackageVersion() }, 1);
}

function eventLoopUtilization(registry: Registry): void {
  let before = performance.eventLoopUtilization();
  let readAtMs = performance.now();
  new Gauge({
    name: 'nodejs_eventloop_utilization_ratio',
    help: 'Share of the time since the last scrape in which the event loop was busy',
    registers: [registry],
    collect() {
      if (performance.now() - readAtMs < utilizationEveryMs) return;
      const now = performance.eventLoopUtilization();
      this.set(performance.eventLoopUtilization(now, before).utilization);
      before = now;
      readAtMs = performance.now();
    },
  });
}
