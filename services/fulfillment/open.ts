import { setTimeout as sleep } from 'node:timers/promises';

import type { EventFeed } from '../../infra/event-feed/port.ts';
import type { Transactor } from '../../infra/event-store/transact.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import type { SagaCommand } from './commands.ts';
import { openDriver, type Driver } from './driver.ts';
import { defaultLimits, type FulfillmentLimits } from './limits.ts';
import type { Clock, Observe } from './observe.ts';
import { runOrderFeed } from './feed-consumer.ts';
import type { World } from './ports.ts';
import type { SagaState } from './saga-state.ts';
import { openSteps } from './steps/steps.ts';
import { fireDueTimers } from './timers.ts';
import { openWatchdog } from './watchdog.ts';

export { sagaDecider } from './saga.ts';

export type FulfillmentOptions = World & {
  /** Of the sagas' streams: `openTransactor(store, { decider: sagaDecider })`. */
  readonly transactor: Transactor<SagaState, SagaCommand>;
  readonly feed: EventFeed;
  /** With the views `open-sagas` and `saga-timers`, kept by a projector. */
  readonly readStore: ReadStore;
  /** How long an order with a payment of this method may stay unpaid. */
  readonly unpaidExpiryMs: (method: string) => number;
  readonly limits?: Partial<FulfillmentLimits>;
  readonly observe?: Observe;
  readonly clock?: Clock;
  readonly random?: () => number;
};

export type Fulfillment = {
  /**
   * Starts and drives sagas until the signal is aborted; then calls in flight end and are recorded, within `drainMs`.
   * Rejects only with what no restart would help (FOREIGN_STORE, a bug of the order feed). Each run begins anew, and
   * drives again what it finds open; one at a time.
   */
  run(signal: AbortSignal): Promise<void>;
  readonly status: () => { readonly running: number; readonly waiting: number };
};

export function openFulfillment(options: FulfillmentOptions): Fulfillment {
  const limits = { ...defaultLimits, ...options.limits };
  const { clock = realClock, random = Math.random, observe = () => undefined } = options;
  const parts = { ...options, limits, clock, random, observe };
  const steps = openSteps(options);
  const repeat = repeating({ clock, observe });
  let current: Driver | null = null;
  return {
    run: async (outer) => {
      const driver = openDriver({ ...parts, world: options, steps });
      current = driver;
      // Where the order feed ends with an error, the other loops end as well.
      const inner = new AbortController();
      const signal = AbortSignal.any([outer, inner.signal]);
      const end = (): void => inner.abort();
      const watchdog = openWatchdog({ ...parts, driver });
      const timers = { name: 'timers', everyMs: limits.timersEveryMs, round: () => firedAll({ ...parts, driver }) };
      const watch = { name: 'watchdog', everyMs: limits.watchdogEveryMs, round: watchdog };
      const loops = [runOrderFeed({ ...parts, driver }, signal), repeat(timers, signal), repeat(watch, signal)];
      try {
        await Promise.all(loops);
      } finally {
        end();
        driver.stop();
        await Promise.allSettled(loops);
        await Promise.race([driver.idle(), sleep(limits.drainMs, undefined, { ref: false })]);
        current = null;
      }
    },
    status: () => current?.status() ?? { running: 0, waiting: 0 },
  };
}

/** A backlog is fired at once, in bounded claims. */
async function firedAll(options: Parameters<typeof fireDueTimers>[0]): Promise<void> {
  const roundsMax = 50;
  for (let round = 0; round < roundsMax; round += 1) {
    if ((await fireDueTimers(options)) < options.limits.timersMax) return;
  }
}

type Loop = { readonly name: string; readonly everyMs: number; readonly round: () => Promise<unknown> };

function repeating({ clock, observe }: { readonly clock: Clock; readonly observe: Observe }) {
  return async ({ name, everyMs, round }: Loop, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      try {
        await round();
      } catch (error) {
        observe({ what: 'loop-failed', loop: name, error });
      }
      await clock.sleep(everyMs, signal);
    }
  };
}

const realClock: Clock = {
  now: () => performance.now(),
  // An abort ends the rest: the loop looks at the signal itself.
  sleep: (ms, signal) => sleep(ms, undefined, { signal }).catch(() => undefined),
};
