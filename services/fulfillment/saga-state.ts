import { unreachable } from '../../schemas/decision.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import type {
  FulfillmentEvent,
  FulfillmentStartedData,
  StepAttemptedData,
  StepFailedData,
  StepSucceededData,
  TimerFiredData,
  TimerScheduledData,
} from '../../schemas/generated/events.ts';
import type { EventId } from '../../schemas/ids.ts';

export type Direction = 'run' | 'undo';
export type StepResult = Readonly<Record<string, string>>;

/** A recorded attempt whose outcome is not: the one call that may be in flight. */
export type PendingAttempt = {
  /** As the order was when it was recorded: asked again, it asks the same, whatever was amended since. */
  readonly order: FulfillmentStartedData;
  readonly step: string;
  readonly direction: Direction;
  readonly attempt: number;
  readonly effectKey: string;
  /** The code of its last failure; null where there is none. */
  readonly failedWith: string | null;
  /** The timer that it waits for; null: call now. */
  readonly waitsFor: string | null;
};

export type SucceededStep = { readonly step: string; readonly attempt: number; readonly result: StepResult };

export type Saga = {
  readonly status: 'Running' | 'Compensating' | 'Completed' | 'Compensated' | 'Quarantined';
  /** As placed or last amended. */
  readonly order: FulfillmentStartedData;
  /** The order's version after its last amendment; 0 where there was none. */
  readonly amendedTo: number;
  /** Succeeded and not undone, in the order in which they succeeded. */
  readonly done: readonly SucceededStep[];
  /** Payments made later that were, also those given back since: as their steps. */
  readonly collected: readonly string[];
  readonly pending: PendingAttempt | null;
  /** By `step/direction`: the number of its last attempt, and how often it failed and is tried again. */
  readonly attempts: Readonly<Record<string, number>>;
  readonly failures: Readonly<Record<string, number>>;
  readonly waits: number;
  /** Pending timers: their kind by id. An id begins with the order's, for a view holds the timers of all. */
  readonly timers: Readonly<Record<string, string>>;
  /** The business's first no to a step. */
  readonly refusal: { readonly step: string; readonly code: string } | null;
  /** What the order answered to what the saga asked of it: `accepted`, or the code of its refusal. */
  readonly answers: Readonly<Record<string, string>>;
  /** What the order told of itself that ends its fulfillment. */
  readonly signal: 'cancelled' | 'expired' | 'payment_failed' | null;
  readonly isExpiryDue: boolean;
  /** Why it turned back. */
  readonly reason: string | null;
  /** Of the last event folded: the cause of what comes next. */
  readonly trace: { readonly eventId: EventId; readonly correlationId: string } | null;
};

export type SagaState = { readonly status: 'Unstarted' } | Saga;

/** The kind of the timer that gives an unpaid order up. */
export const unpaidExpiry = 'unpaid-expiry';

/** What the saga asks of the order, recorded like a step and never undone. */
export const asks: readonly string[] = ['expire-order', 'cancel-order'];

/** Failures after which nothing happened for sure: the next attempt has a new key. After all others the key stays. */
const failuresWithoutEffect: readonly string[] = ['DEPENDENCY_REFUSED'];

export function evolve(state: SagaState, event: FulfillmentEvent | Recorded<FulfillmentEvent>): SagaState {
  const trace = 'eventId' in event ? { eventId: event.eventId, correlationId: event.correlationId } : null;
  if (event.type === 'FulfillmentStarted') return { ...beginning, order: event.data, trace };
  if (state.status === 'Unstarted') return state;
  return { ...evolveSaga(state, event), trace: trace ?? state.trace };
}

const beginning: Omit<Saga, 'order'> = {
  status: 'Running',
  amendedTo: 0,
  done: [],
  collected: [],
  pending: null,
  attempts: {},
  failures: {},
  waits: 0,
  timers: {},
  refusal: null,
  answers: {},
  signal: null,
  isExpiryDue: false,
  reason: null,
  trace: null,
};

type LaterEvent = Exclude<FulfillmentEvent, { readonly type: 'FulfillmentStarted' }>;

function evolveSaga(saga: Saga, event: LaterEvent | Recorded<LaterEvent>): Saga {
  switch (event.type) {
    case 'StepAttempted':
      return attempted(saga, event.data);
    case 'StepSucceeded':
      return succeeded(saga, event.data);
    case 'StepFailed':
      return failed(saga, event.data);
    case 'TimerScheduled':
      return timerScheduled(saga, event.data);
    case 'TimerFired':
      return timerFired(saga, event.data);
    case 'TimerCancelled':
      return { ...saga, timers: without(saga.timers, event.data.timerId) };
    case 'OrderSignalNoted': {
      const { signal } = event.data;
      return signal === 'paid' ? saga : { ...saga, signal: saga.signal ?? signal };
    }
    case 'OrderAmendmentNoted': {
      const { orderVersion: amendedTo, total, lines, payments } = event.data;
      return { ...saga, amendedTo, order: { ...saga.order, total, lines, payments } };
    }
    case 'CompensationBegun':
      return { ...saga, status: 'Compensating', reason: event.data.reason };
    case 'FulfillmentCompensated':
      return { ...saga, status: 'Compensated' };
    case 'FulfillmentCompleted':
      return { ...saga, status: 'Completed' };
    case 'FulfillmentQuarantined':
      return { ...saga, status: 'Quarantined' };
    default:
      return unreachable(event);
  }
}

function attempted(saga: Saga, { step, direction, attempt, effectKey }: StepAttemptedData): Saga {
  return {
    ...saga,
    pending: { order: saga.order, step, direction, attempt, effectKey, failedWith: null, waitsFor: null },
    attempts: { ...saga.attempts, [`${step}/${direction}`]: attempt },
  };
}

function succeeded(saga: Saga, { step, direction, attempt, result }: StepSucceededData): Saga {
  const pending = isPending(saga, { step, direction, attempt }) ? null : saga.pending;
  if (asks.includes(step)) return { ...saga, pending, answers: { ...saga.answers, [step]: 'accepted' } };
  if (direction === 'run') {
    const collected = step.startsWith('collect:') ? [...saga.collected, step] : saga.collected;
    return { ...saga, pending, collected, done: [...saga.done, { step, attempt, result }] };
  }
  return { ...saga, pending, done: saga.done.filter((each) => each.step !== step) };
}

function failed(saga: Saga, { step, direction, attempt, code, final }: StepFailedData): Saga {
  const pending = isPending(saga, { step, direction, attempt }) ? null : saga.pending;
  if (final && asks.includes(step)) return { ...saga, pending, answers: { ...saga.answers, [step]: code } };
  if (final) return { ...saga, pending, refusal: saga.refusal ?? { step, code } };
  const name = `${step}/${direction}`;
  return {
    ...saga,
    pending: saga.pending === null ? null : { ...saga.pending, failedWith: code },
    failures: { ...saga.failures, [name]: (saga.failures[name] ?? 0) + 1 },
  };
}

function timerScheduled(saga: Saga, { timerId, kind }: TimerScheduledData): Saga {
  const timers = { ...saga.timers, [timerId]: kind };
  if (kind === unpaidExpiry || saga.pending === null) return { ...saga, timers };
  const waits = kind === 'delivery-check' ? saga.waits + 1 : saga.waits;
  return { ...saga, timers, waits, pending: { ...saga.pending, waitsFor: timerId } };
}

function timerFired(saga: Saga, { timerId, kind }: TimerFiredData): Saga {
  const timers = without(saga.timers, timerId);
  if (kind === unpaidExpiry) return { ...saga, timers, isExpiryDue: true };
  if (saga.pending?.waitsFor !== timerId) return { ...saga, timers };
  const { failedWith } = saga.pending;
  const isOver = failedWith !== null && failuresWithoutEffect.includes(failedWith);
  return { ...saga, timers, pending: isOver ? null : { ...saga.pending, waitsFor: null } };
}

/** Whether this is the attempt whose outcome the saga waits for. */
export function isPending(
  { pending }: Saga,
  of: { readonly step: string; readonly direction: Direction; readonly attempt: number },
): boolean {
  return pending?.step === of.step && pending.direction === of.direction && pending.attempt === of.attempt;
}

function without(timers: Saga['timers'], timerId: string): Saga['timers'] {
  return Object.fromEntries(Object.entries(timers).filter(([id]) => id !== timerId));
}
