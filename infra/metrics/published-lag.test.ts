import { expect, it } from 'vitest';
import type { Position } from '../../schemas/envelope.ts';
import { OperationalFailure } from '../failures.ts';
import type { GaugeReading, OperationsGauge, OperationsMetrics } from './operations-metrics.ts';
import { watchPublishedLag } from './published-lag.ts';

it('shows the records left to read, and how long ago there were none', async () => {
  let nowMs = 0;
  let left: number | null = 0;
  const read = new Map<OperationsGauge, Parameters<OperationsMetrics['watch']>[1]>();
  const asked: (readonly unknown[])[] = [];
  watchPublishedLag(
    {
      metrics: { watch: (name, reader) => void read.set(name, reader) },
      readStore: {
        checkpoints: () =>
          Promise.resolve(
            ['order-summary', 'another'].map((consumer) => ({
              ...{ consumer, partition: 'order.events/0', position: 'p@1.00000000' as Position },
            })),
          ),
      },
      feed: {
        behind: (_, checkpoints) => {
          asked.push(checkpoints);
          if (left === null) throw new OperationalFailure('KAFKA_UNAVAILABLE', 'down', { retryable: true });
          return Promise.resolve(left);
        },
      },
      now: () => nowMs,
    },
    [{ consumer: 'order-summary', categories: ['order'] }],
  );
  const lag = async (): Promise<(number | undefined)[]> => {
    nowMs += 10_000;
    const of = async (name: OperationsGauge): Promise<readonly GaugeReading[]> => (await read.get(name)?.()) ?? [];
    const [events, seconds] = [await of('projection_lag_events'), await of('projection_lag_seconds')];
    return [events[0]?.value, seconds[0]?.value];
  };
  expect(await lag()).toEqual([0, 0]);
  left = 7;
  expect(await lag()).toEqual([7, 10]);
  expect(await lag()).toEqual([7, 20]);
  left = 0;
  expect(await lag()).toEqual([0, 0]);
  // Nobody answers: the number is unknown, the time goes on.
  left = null;
  expect(await lag()).toEqual([undefined, 10]);
  expect(asked[0]).toMatchObject([{ consumer: 'order-summary' }]);
});
