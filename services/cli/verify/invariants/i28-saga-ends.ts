import type { RecordedEvent } from '../../../../schemas/envelope.ts';
import { dueAt } from '../../../../projections/saga-timers/due-at.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

/** Keeps only what has not ended: live orders without a saga yet, and open sagas. */
export const sagaEnds: Invariant = {
  id: 'I28',
  statement: 'Every saga completes, is compensated, or is parked with a reason; none is stuck.',
  check: ({ nowMs, stuckAfterMs }) => {
    const open = new Map<string, OpenSaga>();
    const violations = noViolations();
    let checked = 0;
    let lastMs = 0;
    return {
      see: (event) => {
        lastMs = Math.max(lastMs, Date.parse(event.recordedAt));
        if (event.type === 'FulfillmentStarted') checked += 1;
        if (event.origin !== 'live' || event.stream.startsWith('stock-')) return;
        const { orderId } = event.data as { readonly orderId: string };
        if (event.type === 'OrderPlaced') {
          open.set(orderId, begun(event, 'no saga has begun'));
        }
        if (event.stream.startsWith('fulfillment-')) advance(open, orderId, event);
      },
      finish: () => {
        for (const [orderId, saga] of open) {
          const dueMs = Math.max(saga.lastMs, ...saga.timers.values());
          if (saga.parked !== '' || dueMs + stuckAfterMs >= (nowMs ?? lastMs)) continue;
          const since = new Date(dueMs).toISOString();
          violations.add(`order ${orderId} is stuck since ${since}: ${saga.at}`);
        }
        return { checked, violations };
      },
    };
  },
};

type OpenSaga = {
  /** What happened last. */
  readonly at: string;
  readonly lastMs: number;
  /** A reason, where an operator is asked; else empty. */
  readonly parked: string;
  /** Pending ones, with when they are due. */
  readonly timers: ReadonlyMap<string, number>;
};

const ended: ReadonlySet<string> = new Set(['FulfillmentCompleted', 'FulfillmentCompensated']);
const noTimers: ReadonlyMap<string, number> = new Map();

function begun({ recordedAt }: RecordedEvent, at: string): OpenSaga {
  return { at, lastMs: Date.parse(recordedAt), parked: '', timers: noTimers };
}

function advance(open: Map<string, OpenSaga>, orderId: string, event: RecordedEvent): void {
  if (ended.has(event.type)) {
    open.delete(orderId);
    return;
  }
  const before = open.get(orderId);
  // What comes after an end (a late signal) opens nothing again.
  if (before === undefined && event.type !== 'FulfillmentStarted') return;
  const parked = event.type === 'FulfillmentQuarantined' ? event.data.code : '';
  open.set(orderId, { ...begun(event, nameOf(event)), parked, timers: timersAfter(before?.timers ?? noTimers, event) });
}

function timersAfter(timers: OpenSaga['timers'], event: RecordedEvent): OpenSaga['timers'] {
  switch (event.type) {
    case 'TimerScheduled':
      return new Map([...timers, [event.data.timerId, Date.parse(dueAt(event))]]);
    case 'TimerCancelled':
    case 'TimerFired':
      return new Map([...timers].filter(([timerId]) => timerId !== event.data.timerId));
    default:
      return timers;
  }
}

function nameOf(event: RecordedEvent): string {
  return 'step' in event.data ? `${event.type} ${event.data.step}` : event.type;
}
