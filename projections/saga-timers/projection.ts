import type { Recorded } from '../../schemas/envelope.ts';
import type { FulfillmentEvent } from '../../schemas/generated/events.ts';
import type { Projection } from '../projection.ts';
import { dueAt } from './due-at.ts';

/** A timer that is neither fired nor cancelled. */
export type SagaTimer = {
  readonly timerId: string;
  readonly orderId: string;
  readonly kind: string;
  readonly dueAt: string;
};

/** One row per pending timer, claimed when it is due; FireTimer's decide has the last word. */
export const sagaTimers: Projection<SagaTimer> = {
  view: {
    name: 'saga-timers',
    version: 1,
    columns: { due_at: { type: 'timestamptz', of: (timer) => timer.dueAt } },
    indexes: [],
    dueColumn: 'due_at',
  },
  categories: ['fulfillment'],
  changes: (recorded) => {
    const event = recorded as Recorded<FulfillmentEvent>;
    switch (event.type) {
      case 'TimerScheduled': {
        const { timerId, orderId, kind } = event.data;
        const timer: SagaTimer = { timerId, orderId, kind, dueAt: dueAt(event) };
        return [{ tenantId: event.tenantId, key: timerId, update: () => timer }];
      }
      case 'TimerCancelled':
      case 'TimerFired':
        return [{ tenantId: event.tenantId, key: event.data.timerId, update: () => null }];
      default:
        // Other events of the saga set no timer.
        return [];
    }
  },
};
