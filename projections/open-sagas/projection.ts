import { unreachable } from '../../schemas/decision.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import type { FulfillmentEvent } from '../../schemas/generated/events.ts';
import type { Projection } from '../projection.ts';
import { dueAt } from '../saga-timers/due-at.ts';

/** A saga that has not ended: what an operator and the watchdog look at. */
export type OpenSaga = {
  readonly orderId: string;
  readonly status: 'running' | 'compensating' | 'quarantined';
  /**
   * `calling`: an attempt is recorded and its outcome is not, so somebody drives it, or should. `resting`: it waits for
   * a timer, for the order or for an operator. Whatever wakes it records the attempt in the same append.
   */
  readonly activity: 'calling' | 'resting';
  /** The last one attempted; null before the first. */
  readonly step: string | null;
  readonly direction: 'run' | 'undo' | null;
  /** Of that step in that direction. */
  readonly attempts: number;
  /** The code of the last failure of that step. */
  readonly lastError: string | null;
  readonly timers: readonly { readonly timerId: string; readonly dueAt: string }[];
  readonly nextTimerAt: string | null;
  /** The recorded time of the last event. */
  readonly updatedAt: string;
  readonly version: number;
};

type SagaEvent = Recorded<FulfillmentEvent>;

/** One document per fulfillment saga until it completes or is compensated; a quarantined one stays. */
export const openSagas: Projection<OpenSaga> = {
  view: {
    name: 'open-sagas',
    version: 2,
    columns: {
      status: { type: 'text', of: ({ status }) => status },
      activity: { type: 'text', of: ({ activity }) => activity },
      updated_at: { type: 'timestamptz', of: ({ updatedAt }) => updatedAt },
    },
    indexes: [['status', 'updated_at'], ['updated_at'], ['activity']],
  },
  categories: ['fulfillment'],
  changes: (recorded) => {
    if (!recorded.stream.startsWith('fulfillment-')) return [];
    const event = recorded as SagaEvent;
    return [{ tenantId: event.tenantId, key: event.data.orderId, update: (current) => evolveSaga(current, event) }];
  },
};

function evolveSaga(current: OpenSaga | null, event: SagaEvent): OpenSaga | null {
  if (event.type === 'FulfillmentStarted') return opened(event);
  if (event.type === 'FulfillmentCompleted' || event.type === 'FulfillmentCompensated') return null;
  // A saga that had ended turns back once more where money comes late: a slip paid after its order expired.
  const open = current ?? (event.type === 'CompensationBegun' ? opened(event) : null);
  if (open === null) return null;
  const changed = change(open, event);
  const nextTimerAt = changed.timers.map((timer) => timer.dueAt).sort()[0] ?? null;
  return { ...changed, nextTimerAt, updatedAt: event.recordedAt, version: event.revision + 1 };
}

function opened({ data, recordedAt, revision }: SagaEvent): OpenSaga {
  const idle = { step: null, direction: null, attempts: 0, lastError: null, timers: [], nextTimerAt: null };
  return {
    orderId: data.orderId,
    status: 'running',
    activity: 'resting',
    ...idle,
    updatedAt: recordedAt,
    version: revision + 1,
  };
}

type OpenEvent = Exclude<
  SagaEvent,
  { readonly type: 'FulfillmentStarted' | 'FulfillmentCompleted' | 'FulfillmentCompensated' }
>;

function change(current: OpenSaga, event: OpenEvent): OpenSaga {
  switch (event.type) {
    case 'OrderSignalNoted':
    case 'OrderAmendmentNoted':
      return current;
    case 'StepAttempted':
      return attempted(current, event.data);
    case 'StepSucceeded':
      return { ...current, activity: 'resting', lastError: null };
    case 'StepFailed':
      // One that is not final goes on at once, or with the timer that comes with it.
      return { ...current, ...(event.data.final ? { activity: 'resting' } : {}), lastError: event.data.code };
    case 'CompensationBegun':
      return { ...current, status: 'compensating' };
    case 'FulfillmentQuarantined':
      return {
        ...current,
        status: 'quarantined',
        activity: 'resting',
        step: event.data.step,
        lastError: event.data.code,
      };
    case 'TimerScheduled': {
      const { timerId, kind } = event.data;
      const timers = [...without(current, timerId), { timerId, dueAt: dueAt(event) }];
      return { ...current, ...(isOfAttempt(kind) ? { activity: 'resting' } : {}), timers };
    }
    case 'TimerCancelled':
      return { ...current, timers: without(current, event.data.timerId) };
    case 'TimerFired': {
      const { timerId, kind } = event.data;
      return { ...current, ...(isOfAttempt(kind) ? { activity: 'calling' } : {}), timers: without(current, timerId) };
    }
    default:
      return unreachable(event);
  }
}

/** The order's expiry runs beside the steps; every other timer is what an attempt waits for. */
function isOfAttempt(timerKind: string): boolean {
  return timerKind !== 'unpaid-expiry';
}

type Attempt = { readonly step: string; readonly direction: 'run' | 'undo'; readonly attempt: number };

/** An attempt after a quarantine is an operator's retry: the saga runs again. */
function attempted(current: OpenSaga, { step, direction, attempt }: Attempt): OpenSaga {
  const same = current.step === step && current.direction === direction;
  const lastError = same ? current.lastError : null;
  const status = direction === 'undo' ? 'compensating' : 'running';
  return { ...current, status, activity: 'calling', step, direction, attempts: attempt, lastError };
}

function without({ timers }: OpenSaga, timerId: string): OpenSaga['timers'] {
  return timers.filter((timer) => timer.timerId !== timerId);
}
