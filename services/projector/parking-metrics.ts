import type { Logger } from 'pino';
import type { ConsumerStop } from '../../infra/event-feed/run-consumer.ts';
import type { Metrics } from '../../infra/metrics/open.ts';
import { fulfillment, type ParkedStream } from '../../infra/read-store/parking.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { views } from '../../projections/all.ts';

export type ParkingWatch = {
  readonly parked: (parked: ParkedStream) => void;
  /** By PARKING_THRESHOLD. */
  readonly stopped: (stop: ConsumerStop) => void;
  readonly wentOn: (view: string) => void;
};

export type WatchParkingOptions = {
  readonly metrics: Pick<Metrics, 'watch'>;
  readonly readStore: Pick<ReadStore, 'parking'>;
  readonly log: Pick<Logger, 'error' | 'info'>;
};

/**
 * Loud in the log, and two gauges: what is parked in this read database, whoever parked it (discarded ones had an
 * operator's answer), and which views of this process stand still. Neither makes a door unready: orders are taken, and
 * readers are told how old their answer is.
 */
export function watchParking({ metrics, readStore, log }: WatchParkingOptions): ParkingWatch {
  const stopped = new Set<string>();
  metrics.watch('projection_parked_orders', async () => {
    const groups = await readStore.parking.groups();
    return [...views.map(({ name }) => name), fulfillment].map((name) => {
      const waiting = groups.filter(({ consumer, state }) => consumer === name && state === 'parked');
      return { of: name, value: waiting.reduce((sum, { streams }) => sum + streams, 0) };
    });
  });
  metrics.watch('projection_stopped', () => views.map(({ name }) => ({ of: name, value: stopped.has(name) ? 1 : 0 })));
  return {
    parked: ({ consumer: view, stream, firstRevision: revision, error: reason }) =>
      log.error({ view, stream, revision, reason }, 'an event cannot be projected: its stream is parked'),
    stopped: ({ consumer: view, failure: { code }, restartInMs }) => {
      stopped.add(view);
      log.error({ view, code, restartInMs }, 'a view stands still: too many streams would be parked');
    },
    wentOn: (view) => {
      if (stopped.delete(view)) log.info({ view }, 'a view that stood still goes on');
    },
  };
}
