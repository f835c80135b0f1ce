import type { OperationalFailure } from '../../../infra/failures.ts';
import type { ProcessContext } from '../../../infra/process/open-process.ts';
import type { Observe } from './observe.ts';

/** What the intake has in hand. */
export type IntakeStatus = {
  readonly pending: number;
  readonly oldestTimestampMs: number | null;
  /** Records of its partitions that it has not read; null: nobody knows, or it has no partition. */
  readonly unread: number | null;
};

export type IntakeMetrics = {
  readonly observe: Observe;
  readonly onFailure: (failure: OperationalFailure) => void;
  readonly onRestart: (failure: OperationalFailure) => void;
  readonly watch: (status: () => IntakeStatus) => void;
};

const consumer = 'order-commands';
/** While a store is down each record in hand fails again and again: one line tells of all of them. */
const logEveryMs = 1_000;

export function intakeMetrics({ metrics, log }: Pick<ProcessContext, 'metrics' | 'log'>): IntakeMetrics {
  metrics.count('retries_total', consumer, 0);
  metrics.count('consumer_restarts_total', consumer, 0);
  let loggedAtMs = -Infinity;
  return {
    observe: (observation) => {
      switch (observation.what) {
        case 'outcome': {
          const { code, type, isNew, seconds, traceId } = observation;
          metrics.count('command_outcomes_total', code);
          if (type === 'PlaceOrder' && code === 'accepted' && isNew) metrics.observePlacement(seconds, traceId);
          return;
        }
        case 'dead-letter': {
          const { reason, topic, partition, offset } = observation;
          metrics.count('dead_letters_total', reason);
          log.warn({ reason, topic, partition, offset }, 'a record cannot be read');
          return;
        }
        case 'bug':
          log.error({ err: observation.error, orderId: observation.orderId }, 'a command from Kafka failed');
      }
    },
    onFailure: (failure) => {
      metrics.count('retries_total', consumer);
      const now = performance.now();
      if (now - loggedAtMs < logEveryMs) return;
      loggedAtMs = now;
      log.warn({ err: failure }, 'commands from Kafka wait');
    },
    onRestart: (failure) => {
      metrics.count('consumer_restarts_total', consumer);
      log.warn({ err: failure }, 'the consumer of commands begins anew');
    },
    watch: (status) => {
      metrics.watch('queue_depth', () => [{ of: 'commands-from-kafka', value: status().pending }]);
      metrics.watch('consumer_lag_events', () => {
        const { unread, pending } = status();
        return unread === null ? [] : [{ of: consumer, value: unread + pending }];
      });
      metrics.watch('consumer_lag_seconds', () => {
        const { unread, oldestTimestampMs } = status();
        if (oldestTimestampMs !== null)
          return [{ of: consumer, value: Math.max(0, Date.now() - oldestTimestampMs) / 1_000 }];
        // What was not read has an age that nobody knows.
        return unread === 0 ? [{ of: consumer, value: 0 }] : [];
      });
    },
  };
}
