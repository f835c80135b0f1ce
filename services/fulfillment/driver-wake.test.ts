import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Transactor } from '../../infra/event-store/transact.ts';
import { anOrderId, tenant } from '../../projections/examples.ts';
import type { SagaCommand } from './commands.ts';
import { openDriver } from './driver.ts';
import { defaultLimits } from './limits.ts';
import type { SagaState } from './saga-state.ts';

const key = { tenantId: tenant, orderId: anOrderId('woken') };

/** A driver over a saga that never wants anything; each look reads it once. */
function openWatched() {
  const looks = { begun: 0 };
  const transactor = {
    load: () => {
      looks.begun += 1;
      return Promise.resolve({ state: { status: 'Unstarted' }, version: 0 });
    },
  } as unknown as Transactor<SagaState, SagaCommand>;
  const clock = { now: () => 0, sleep: () => Promise.resolve() };
  const world = {} as never;
  const driver = openDriver({ transactor, world, steps: [], limits: defaultLimits, clock, random: () => 0, observe: () => undefined }); // prettier-ignore
  return { driver, looks };
}

// Several commands of one stream are answered in one turn: who tells a saga may ask for a drive in any microtask of another's end.
it.each(Array.from({ length: 20 }, (_, hops) => hops))(
  'looks once more for whoever asks while a drive ends, %i microtasks after its look began',
  async (hops) => {
    const { driver, looks } = openWatched();
    const first = driver.drive(key);
    for (let hop = 0; hop < hops; hop += 1) await Promise.resolve();
    const before = looks.begun;
    expect(before).toBe(1);
    const second = driver.drive(key);
    expect([await first, await second]).toEqual(['idle', 'idle']);
    await turn();
    expect(looks.begun).toBeGreaterThan(before);
    expect([driver.isActive(key), driver.status()]).toEqual([false, { running: 0, waiting: 0 }]);
  },
);
