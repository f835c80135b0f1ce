import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { within } from '../within.ts';

/** Gauges that are read when they are scraped: name, meaning and labels of each, once. */
const gauges = {
  projection_lag_seconds: { help: 'Age of the oldest event that a projection has not applied', label: 'projection' },
  projection_lag_events: {
    help: 'Events that a projection has not applied; counted up to 100,000',
    label: 'projection',
  },
  projection_parked_orders: { help: 'Orders that a projection has parked', label: 'projection' },
  projection_stopped: {
    help: '1 where a projection stands still: too many orders would be parked',
    label: 'projection',
  },
  consumer_lag_seconds: { help: 'Age of the oldest event that a consumer has not handled', label: 'consumer' },
  consumer_lag_events: { help: 'Events that a consumer has not handled; counted up to 100,000', label: 'consumer' },
  relay_lag_seconds: { help: 'Age of the oldest event that is not in Kafka yet', label: 'relay' },
  relay_lag_events: { help: 'Events that are not in Kafka yet; counted up to 100,000', label: 'relay' },
  sagas: { help: 'Fulfillments that have not ended, by state', label: 'state' },
  saga_drives: { help: 'Fulfillments that this process drives, or that wait for a free slot', label: 'state' },
  breaker_open: { help: '1 where the breaker of a dependency is open, 0.5 half-open, 0 closed', label: 'dependency' },
  lease_held: { help: '1 where this process holds the lease', label: 'lease' },
  queue_depth: { help: 'Work that waits in a bounded queue', label: 'queue' },
  snapshots_up: { help: '1 where the snapshot cache answers, else 0: reads then come from the views', label: 'cache' },
  append_fence_held_seconds: {
    help: 'Age of the oldest append in flight: readers of the log wait for it',
    label: [],
  },
  append_fence_holder_seconds: {
    help: 'The database session that holds the fence for more than a second, and for how long',
    label: ['pid', 'application', 'user'],
  },
  postgres_pool_connections: { help: 'Connections of a pool of this process', label: ['pool', 'state'] },
  postgres_pool_waiting: { help: 'Callers that wait for a connection of a pool', label: 'pool' },
} as const satisfies Readonly<Record<string, Described>>;

const counters = {
  command_dedupe_hits_total: { help: 'Commands answered from their first run', label: 'door' },
  command_conflicts_total: { help: 'Decisions that lost a race and were made anew', label: 'door' },
  retries_total: { help: 'Calls repeated after a failure', label: 'dependency' },
  snapshot_reads_total: { help: 'Reads of the snapshot cache by what came of them', label: 'result' },
  stale_writes_refused_total: {
    help: 'Writes refused since another owner or a newer version was there',
    label: 'writer',
  },
  consumer_restarts_total: { help: 'Starts of a consumer from its checkpoint after a failure', label: 'consumer' },
  relay_records_total: { help: 'Records that Kafka acknowledged, repeated ones as well', label: 'topic' },
  relay_batches_total: { help: 'Batches of records that Kafka acknowledged whole', label: [] },
  relay_republished_total: { help: 'Starts from the beginning of the log, since a topic had lost records', label: [] },
  projection_events_total: {
    help: 'Events of committed batches: applied, known already (duplicate), read again to fill a gap (healed)',
    label: ['projection', 'result'],
  },
  command_outcomes_total: {
    help: 'Commands that came by Kafka, by accepted or the code of their refusal',
    label: 'code',
  },
  dead_letters_total: { help: 'Records of command topics that cannot be read, by why', label: 'reason' },
  feed_records_passed_over_total: {
    help: 'Records of event topics that are no events of this store, by why',
    label: 'reason',
  },
  order_reads_total: { help: 'Orders read by id, by what answered', label: 'source' },
  order_read_fallbacks_total: { help: 'Reads that went on since a source failed them', label: 'source' },
  saga_steps_total: { help: 'Steps of fulfillments that were run or undone', label: ['step', 'direction', 'outcome'] },
  sagas_ended_total: { help: 'Fulfillments that ended or were quarantined', label: 'state' },
  saga_redrives_total: { help: 'Fulfillments that stood still and were driven again', label: [] },
  saga_stops_total: { help: 'Drives of fulfillments that a failure or a bug stopped', label: 'reason' },
} as const satisfies Readonly<Record<string, Described>>;

type Described = { readonly help: string; readonly label: string | readonly string[] };

export type OperationsGauge = keyof typeof gauges;
export type OperationsCounter = keyof typeof counters;

/** The value of the label, or of each label in the order of the table. */
export type LabelsOf = string | readonly string[];

export type GaugeReading = { readonly of: LabelsOf; readonly value: number };

export type OperationsMetrics = {
  /** Reads a gauge at each scrape, which waits `readMaxMs` for it; several readers of one gauge add up their labels. */
  watch(name: OperationsGauge, read: () => readonly GaugeReading[] | Promise<readonly GaugeReading[]>): void;
  /** Counts one, or `by`; with 0 the series is there before its first event, so that a rate sees that one too. */
  count(name: OperationsCounter, of: LabelsOf, by?: number): void;
};

type Reader = Parameters<OperationsMetrics['watch']>[1];

/** A reader that hangs must not keep the others, or the scraper: Prometheus gives up after 10 s by default. */
const readMaxMs = 2_000;

export function operationsMetrics(registry: Registry): OperationsMetrics {
  const readers = new Map<OperationsGauge, Reader[]>();
  for (const [name, { help, label }] of Object.entries<Described>(gauges)) {
    const ofGauge: Reader[] = [];
    readers.set(name as OperationsGauge, ofGauge);
    const labelNames = namesOf(label);
    new Gauge({ name, help, labelNames, registers: [registry], collect: collector(labelNames, ofGauge) });
  }
  const counted = new Map(
    Object.entries<Described>(counters).map(([name, { help, label }]) => {
      const labelNames = namesOf(label);
      return [name, { labelNames, counter: new Counter({ name, help, labelNames, registers: [registry] }) }];
    }),
  );
  return {
    watch: (name, read) => readers.get(name)?.push(read),
    count: (name, of, by = 1) => {
      const known = counted.get(name);
      known?.counter.inc(labelled(known.labelNames, of), by);
    },
  };
}

function collector(labelNames: readonly string[], readers: readonly Reader[]): (this: Gauge) => Promise<void> {
  return async function collect() {
    const results = await Promise.allSettled(readers.map((read) => within(readMaxMs, called(read))));
    this.reset();
    // A gauge without labels shows 0 by itself: unknown is not 0.
    if (labelNames.length === 0) this.remove();
    // A reader whose source is down leaves its series out: an old value would look like a live one.
    for (const result of results) {
      if (result.status !== 'fulfilled') continue;
      for (const { of, value } of result.value ?? []) this.set(labelled(labelNames, of), value);
    }
  };
}

async function called(read: Reader): Promise<readonly GaugeReading[]> {
  return read();
}

function namesOf(label: LabelsOf): string[] {
  return typeof label === 'string' ? [label] : [...label];
}

function labelled(names: readonly string[], of: LabelsOf): Record<string, string> {
  const values = namesOf(of);
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']));
}
