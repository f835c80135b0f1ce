import type { Filter, ReadStore } from '../../infra/read-store/port.ts';
import { openSagas } from '../../projections/open-sagas/projection.ts';
import type { OrderId } from '../../schemas/ids.ts';
import type { SagaKey } from './call-step.ts';
import type { DriveEnd, Driver } from './driver.ts';
import type { FulfillmentLimits } from './limits.ts';
import type { Clock, Observe } from './observe.ts';

export type WatchdogOptions = {
  readonly readStore: Pick<ReadStore, 'scan'>;
  readonly driver: Driver;
  readonly limits: FulfillmentLimits;
  readonly clock: Pick<Clock, 'now'>;
  readonly observe: Observe;
};

/** What the watchdog saw of a saga: since when at this version, and whether a drive found nothing to do in it. */
type Seen = { readonly version: number; sinceMs: number; isIdle: boolean };

/**
 * Drives again what stands still: what a crash left, and what the store's failure stopped. Only sagas with an attempt
 * under way are looked at, so a million that wait for their timer or their payment cost nothing. Staleness is counted by
 * how long this process sees the same version, so no host's clock matters. The first round waits for nothing.
 * @returns a round, which resolves to how many were driven again
 */
export function openWatchdog(options: WatchdogOptions): () => Promise<number> {
  let seen = new Map<string, Seen>();
  let isFirst = true;
  return async () => {
    const { readStore, limits, clock } = options;
    const next = new Map<string, Seen>();
    let redriven = 0;
    for await (const { tenantId, document } of readStore.scan(openSagas.view, underWay)) {
      const { orderId, version } = document;
      const key = { tenantId, orderId: orderId as OrderId };
      const name = `${tenantId}/${orderId}`;
      const before = seen.get(name);
      const known: Seen = before?.version === version ? before : { version, sinceMs: clock.now(), isIdle: false };
      next.set(name, known);
      const isDue = isFirst || clock.now() - known.sinceMs >= limits.staleMs;
      const isLeftAlone = known.isIdle || options.driver.isActive(key);
      if (!isDue || isLeftAlone || redriven >= limits.redrivesMax) continue;
      redriven += 1;
      known.sinceMs = clock.now();
      await options.driver.room();
      void redrive(options, key).then((end) => {
        known.isIdle = end === 'idle';
      });
    }
    seen = next;
    isFirst = false;
    return redriven;
  };
}

const underWay: Filter = { column: 'activity', equals: 'calling' };

function redrive({ driver, observe }: WatchdogOptions, key: SagaKey): Promise<DriveEnd> {
  observe({ what: 'redriven', orderId: key.orderId });
  return driver.drive(key);
}
