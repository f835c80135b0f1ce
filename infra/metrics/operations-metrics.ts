import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** Gauges that are read when they are scraped: name, meaning and label of each, once. */
const gauges = {
  projection_lag_seconds: { help: 'Age of the oldest event that a projection has not applied', label: 'projection' },
  projection_lag_events: { help: 'Events that a projection has not applied', label: 'projection' },
  projection_parked_orders: { help: 'Orders that a projection has parked', label: 'projection' },
  projection_stopped: { help: '1 where a projection stands still: too many orders would be parked', label: 'projection' },
  sagas: { help: 'Fulfillments by state', label: 'state' },
  breaker_open: { help: '1 where the breaker of a dependency is open, 0.5 half-open, 0 closed', label: 'dependency' },
  lease_held: { help: '1 where this process holds the lease', label: 'lease' },
  queue_depth: { help: 'Work that waits in a bounded queue', label: 'queue' },
  snapshots_up: { help: '1 where the snapshot cache answers, else 0: reads then come from the views', label: 'cache' },
} as const;

const counters = {
  command_dedupe_hits_total: { help: 'Commands answered from their first run', label: 'door' },
  retries_total: { help: 'Calls repeated after a failure', label: 'dependency' },
  snapshot_reads_total: { help: 'Reads of the snapshot cache by what came of them', label: 'result' },
  stale_writes_refused_total: {
    help: 'Writes refused since another owner or a newer version was there',
    label: 'writer',
  },
} as const;

export type OperationsGauge = keyof typeof gauges;
export type OperationsCounter = keyof typeof counters;

export type GaugeReading = { readonly of: string; readonly value: number };

export type OperationsMetrics = {
  /** Reads a gauge at each scrape; several readers of one gauge add up their labels. */
  watch(name: OperationsGauge, read: () => readonly GaugeReading[] | Promise<readonly GaugeReading[]>): void;
  /** Counts one; `of` is the counter's label. */
  count(name: OperationsCounter, of: string): void;
};

type Reader = Parameters<OperationsMetrics['watch']>[1];

export function operationsMetrics(registry: Registry): OperationsMetrics {
  const readers = new Map<OperationsGauge, Reader[]>();
  for (const [name, { help, label }] of Object.entries(gauges) as [
    OperationsGauge,
    (typeof gauges)[OperationsGauge],
  ][]) {
    const ofGauge: Reader[] = [];
    readers.set(name, ofGauge);
    new Gauge({ name, help, labelNames: [label], registers: [registry], collect: collector(label, ofGauge) });
  }
  const counted = new Map(
    Object.entries(counters).map(([name, { help, label }]) => [
      name,
      { label, counter: new Counter({ name, help, labelNames: [label], registers: [registry] }) },
    ]),
  );
  return {
    watch: (name, read) => readers.get(name)?.push(read),
    count: (name, of) => {
      const known = counted.get(name);
      known?.counter.inc({ [known.label]: of });
    },
  };
}

function collector(label: string, readers: readonly Reader[]): (this: Gauge) => Promise<void> {
  return async function collect() {
    const results = await Promise.allSettled(readers.map(async (read) => read()));
    this.reset();
    // A reader whose source is down leaves its series out: an old value would look like a live one.
    for (const result of results) {
      if (result.status !== 'fulfilled') continue;
      for (const { of, value } of result.value) this.set({ [label]: of }, value);
    }
  };
}
