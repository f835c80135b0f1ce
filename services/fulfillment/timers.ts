import type { Transactor } from '../../infra/event-store/transact.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { sagaTimers } from '../../projections/saga-timers/projection.ts';
import { derivedId, fulfillmentStream, type OrderId } from '../../schemas/ids.ts';
import type { SagaCommand } from './commands.ts';
import type { Driver } from './driver.ts';
import type { FulfillmentLimits } from './limits.ts';
import type { Observe } from './observe.ts';
import type { SagaState } from './saga-state.ts';
import { tellSaga } from './tell-saga.ts';

export type TimersOptions = {
  readonly readStore: Pick<ReadStore, 'claimDue'>;
  readonly transactor: Transactor<SagaState, SagaCommand>;
  readonly driver: Driver;
  readonly limits: FulfillmentLimits;
  readonly observe: Observe;
};

/**
 * Fires the timers that are due by the database's clock. A claim only saves work: the saga's decide has the last word
 * on whether the timer is still pending, so it fires once. What fails here is claimed again after its lease.
 * @returns how many were claimed: as many as asked for means that more may be due
 */
export async function fireDueTimers(options: TimersOptions): Promise<number> {
  const { readStore, limits } = options;
  await options.driver.room();
  const due = await readStore.claimDue(sagaTimers.view, { limit: limits.timersMax, leaseMs: limits.timerLeaseMs });
  const rows = due.values();
  const work = async (): Promise<void> => {
    for (const { tenantId, document } of rows) {
      const { orderId, timerId } = document;
      await fire(options, { tenantId, orderId: orderId as OrderId }, timerId);
    }
  };
  await Promise.all(Array.from({ length: limits.streamsMax }, work));
  return due.length;
}

async function fire(
  { transactor, driver, observe }: TimersOptions,
  key: Parameters<Driver['drive']>[0],
  timerId: string,
): Promise<void> {
  const { orderId } = key;
  try {
    const { state } = await transactor.load(key.tenantId, fulfillmentStream(orderId));
    const trace = state.status === 'Unstarted' ? null : state.trace;
    const known = await tellSaga(transactor, {
      key,
      name: `timer/${derivedId(orderId, timerId)}`,
      command: { type: 'FireTimer', timerId },
      correlationId: trace?.correlationId ?? orderId,
      causationId: trace?.eventId ?? null,
    });
    if (known.events.length === 0) return;
    observe({ what: 'timer-fired', orderId, timerId });
    void driver.drive(key, known);
  } catch (error) {
    // One saga's trouble is not the others'.
    observe({ what: 'loop-failed', loop: 'timers', error });
  }
}
