import { expect, it } from 'vitest';
import type { Position } from '../../schemas/envelope.ts';
import { appended } from '../event-store/contract/examples.ts';
import { openMemoryEventStore } from '../event-store/memory/memory-event-store.ts';
import { openMemoryReadStore } from '../read-store/memory/memory-read-store.ts';
import { watchLogLag } from './log-lag.ts';
import { openMetrics } from './open.ts';

/** A view of orders whose projector is this test: it moves the checkpoint, or does not. Time is in seconds. */
function openScene() {
  const start = Date.UTC(2026, 0, 1);
  let elapsed = 0;
  let loads = 0;
  let isDown = false;
  const store = openMemoryEventStore({ now: () => new Date(start + elapsed * 1_000) });
  const views = openMemoryReadStore();
  const loadCheckpoint: typeof views.loadCheckpoint = (...of) => {
    loads += 1;
    return isDown ? Promise.reject(new Error('down')) : views.loadCheckpoint(...of);
  };
  const metrics = openMetrics();
  watchLogLag({ metrics, store, readStore: { loadCheckpoint }, now: () => elapsed * 1_000 }, 'projection', [
    { consumer: 'orders', categories: ['order'] },
  ]);
  let checkpoint: Position | null = null;
  return {
    place: async () => (await appended(store)).position,
    project: async (to: Position) => {
      await views.moveCheckpoint({ consumer: 'orders', partition: 'log', from: checkpoint, to });
      checkpoint = to;
    },
    pass: (seconds: number) => void (elapsed += seconds),
    down: (is: boolean) => void (isDown = is),
    loads: () => loads,
    lag: async () => {
      const text = await metrics.text();
      const read = (unit: string) => /\} (\S+)$/m.exec(text.match(`projection_lag_${unit}\\{.*`)?.[0] ?? '')?.[1];
      return { seconds: read('seconds'), events: read('events') };
    },
  };
}

it('is none where all is projected, however long ago that was', async () => {
  const { place, project, pass, lag } = openScene();
  expect(await lag()).toEqual({ seconds: '0', events: '0' });
  await project(await place());
  pass(3_600);
  expect(await lag()).toEqual({ seconds: '0', events: '0' });
});

it('grows while a projector hangs or is gone, and ends with it', async () => {
  const { place, project, pass, lag } = openScene();
  await project(await place());
  await place();
  const last = await place();
  pass(10);
  expect(await lag()).toEqual({ seconds: '10', events: '2' });
  pass(50);
  expect(await lag()).toEqual({ seconds: '60', events: '2' });
  await project(last);
  pass(3);
  expect(await lag()).toEqual({ seconds: '0', events: '0' });
});

it('grows in seconds while the stores do not answer, and does not guess at events', async () => {
  const { place, project, pass, down, lag } = openScene();
  await project(await place());
  await lag();
  down(true);
  pass(100);
  expect(await lag()).toEqual({ seconds: '100', events: undefined });
  down(false);
  expect(await lag()).toEqual({ seconds: '0', events: '0' });
});

it('is unknown, and not none, where it could never be measured', async () => {
  const { down, lag } = openScene();
  down(true);
  expect(await lag()).toEqual({ seconds: undefined, events: undefined });
});

it('is measured once for scrapes that come close together', async () => {
  const { lag, loads, pass } = openScene();
  await Promise.all([lag(), lag()]);
  await lag();
  expect(loads()).toBe(1);
  pass(2.1);
  await lag();
  expect(loads()).toBe(2);
});
