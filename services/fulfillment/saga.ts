import { accept, type Decision } from '../../schemas/decision.ts';
import type { FulfillmentEvent } from '../../schemas/generated/events.ts';
import type { Decider } from '../../infra/event-store/decider.ts';
import { isPaidLater } from '../../schemas/payment-methods.ts';
import { advance, collectStep, isDone } from './saga-advance.ts';
import type {
  FireTimer,
  NoteOrderAmended,
  NoteOrderSignal,
  Quarantine,
  RecordStepFailed,
  RecordStepRefused,
  RecordStepSucceeded,
  RecordStepWaiting,
  SagaCommand,
  StartFulfillment,
} from './commands.ts';
import {
  evolve,
  isPending,
  unpaidExpiry,
  type PendingAttempt,
  type Saga,
  type SagaState,
  type SucceededStep,
} from './saga-state.ts';

/**
 * A call that fails so often is given up and the saga quarantined. With waits that double up to a minute this outlasts
 * an outage of a gateway, and its breaker's minutes, of about ten minutes.
 */
export const failuresMax = 20;

/** With waits that double up to an hour: a parcel may be on its way for a month. */
export const waitsMax = 750;

/** The one thing that a saga wants done in the world now. */
export type CallStep = PendingAttempt & {
  readonly kind: 'call-step';
  /** What an undo undoes; null for a run. */
  readonly undoes: SucceededStep | null;
  readonly failures: number;
  readonly waits: number;
};
export type Effect = CallStep;

/** What the world is to be asked now. `evolve` asks for nothing, so a replay sends nothing. */
export function react(state: SagaState): readonly Effect[] {
  const effect = nextEffect(state);
  return effect === null ? [] : [effect];
}

export function nextEffect(state: SagaState): Effect | null {
  if (state.status === 'Unstarted' || state.status === 'Quarantined') return null;
  const { pending } = state;
  if (pending === null || pending.waitsFor !== null) return null;
  const { step, direction } = pending;
  const undoes = direction === 'undo' ? (state.done.find((each) => each.step === step) ?? null) : null;
  return {
    kind: 'call-step',
    ...pending,
    undoes,
    failures: state.failures[`${step}/${direction}`] ?? 0,
    waits: state.waits,
  };
}

/**
 * Decides what happened and, in the same append, the attempt that follows from it: so an attempt is always recorded
 * before its call, and a step costs one append.
 */
export function decide(command: SagaCommand, state: SagaState): Decision<FulfillmentEvent> {
  const events = happened(command, state);
  if (events.length === 0) return accept();
  const all = [...events];
  let next = fold(state, events);
  for (let following = advance(next); following.length > 0; following = advance(next)) {
    all.push(...following);
    next = fold(next, following);
  }
  return accept(...all);
}

export const sagaDecider: Decider<SagaState, SagaCommand, FulfillmentEvent> = {
  initial: { status: 'Unstarted' },
  evolve,
  decide,
};

function happened(command: SagaCommand, state: SagaState): readonly FulfillmentEvent[] {
  if (command.type === 'StartFulfillment') return state.status === 'Unstarted' ? start(command) : [];
  // History that was imported has no saga: what its order tells concerns nobody.
  if (state.status === 'Unstarted') return [];
  switch (command.type) {
    case 'RecordStepSucceeded':
      return recordSucceeded(command, state);
    case 'RecordStepRefused':
      return recordRefused(command, state);
    case 'RecordStepFailed':
      return recordFailed(command, state);
    case 'RecordStepWaiting':
      return recordWaiting(command, state);
    case 'Quarantine':
      return quarantine(command, state);
    case 'NoteOrderSignal':
      return noteSignal(command, state);
    case 'NoteOrderAmended':
      return noteAmended(command, state);
    case 'FireTimer':
      return fireTimer(command, state);
  }
}

function start({ type: _, unpaidExpiryMs, ...order }: StartFulfillment): readonly FulfillmentEvent[] {
  const { orderId } = order;
  const timer = { orderId, timerId: `${orderId}/${unpaidExpiry}`, kind: unpaidExpiry, delayMs: unpaidExpiryMs };
  return [
    { type: 'FulfillmentStarted', data: order },
    { type: 'TimerScheduled', data: timer },
  ];
}

function recordSucceeded(command: RecordStepSucceeded, saga: Saga): readonly FulfillmentEvent[] {
  if (!isPending(saga, command)) return [];
  const { step, direction, attempt, result } = command;
  const { orderId } = saga.order;
  const success: FulfillmentEvent = { type: 'StepSucceeded', data: { orderId, step, direction, attempt, result } };
  const timerId = Object.keys(saga.timers).find((id) => saga.timers[id] === unpaidExpiry);
  const isPaid = step === 'capture' && direction === 'run' && timerId !== undefined;
  return isPaid ? [success, { type: 'TimerCancelled', data: { orderId, timerId } }] : [success];
}

function recordRefused(command: RecordStepRefused, saga: Saga): readonly FulfillmentEvent[] {
  if (!isPending(saga, command)) return [];
  const { step, direction, attempt, code } = command;
  const { orderId } = saga.order;
  const refusal: FulfillmentEvent = {
    type: 'StepFailed',
    data: { orderId, step, direction, attempt, code, final: true },
  };
  if (direction === 'run') return [refusal];
  // What cannot be undone is for an operator: neither done with nor tried for ever.
  const detail = 'the undo was refused';
  return [refusal, { type: 'FulfillmentQuarantined', data: { orderId, step, code, detail } }];
}

function recordFailed(command: RecordStepFailed, saga: Saga): readonly FulfillmentEvent[] {
  const { step, direction, attempt, code, failures, retryInMs } = command;
  if (!isPending(saga, command) || saga.pending?.waitsFor !== null) return [];
  if ((saga.failures[`${step}/${direction}`] ?? 0) !== failures) return [];
  const { orderId } = saga.order;
  const failure: FulfillmentEvent = {
    type: 'StepFailed',
    data: { orderId, step, direction, attempt, code, final: false },
  };
  if (failures + 1 >= failuresMax) {
    const detail = `${direction} failed ${failuresMax} times`;
    return [failure, { type: 'FulfillmentQuarantined', data: { orderId, step, code, detail } }];
  }
  const timerId = `${orderId}/${step}/${direction}/${attempt}/retry/${failures + 1}`;
  return [failure, { type: 'TimerScheduled', data: { orderId, timerId, kind: 'retry', delayMs: retryInMs } }];
}

function recordWaiting(command: RecordStepWaiting, saga: Saga): readonly FulfillmentEvent[] {
  const { step, direction, attempt, waits, checkInMs } = command;
  if (!isPending(saga, command) || saga.pending?.waitsFor !== null || saga.waits !== waits) return [];
  const { orderId } = saga.order;
  if (waits + 1 >= waitsMax) {
    const detail = `still waiting after ${waitsMax} checks`;
    return [{ type: 'FulfillmentQuarantined', data: { orderId, step, code: 'DEPENDENCY_TIMEOUT', detail } }];
  }
  const timerId = `${orderId}/${step}/${direction}/${attempt}/check/${waits + 1}`;
  return [{ type: 'TimerScheduled', data: { orderId, timerId, kind: 'delivery-check', delayMs: checkInMs } }];
}

function quarantine(command: Quarantine, saga: Saga): readonly FulfillmentEvent[] {
  if (saga.status === 'Quarantined' || !isPending(saga, command)) return [];
  const { step, code, detail } = command;
  return [{ type: 'FulfillmentQuarantined', data: { orderId: saga.order.orderId, step, code, detail } }];
}

function noteSignal(command: NoteOrderSignal, saga: Saga): readonly FulfillmentEvent[] {
  const { orderId } = saga.order;
  const noted: FulfillmentEvent = { type: 'OrderSignalNoted', data: { orderId, signal: command.signal } };
  if (command.signal === 'paid') return notePaid(command, saga, noted);
  // It has turned back or cannot any more: the signal changes nothing.
  const isOpen = saga.status === 'Running' || saga.status === 'Quarantined';
  if (!isOpen || saga.signal !== null || isDone(saga, 'dispatch')) return [];
  if (command.signal === 'payment_failed' && !isAwaited(saga, command.paymentId)) return [];
  return [noted];
}

/** The order allows it only before its payment begins; so from `authorize` on it is none, or comes late. */
function noteAmended(command: NoteOrderAmended, saga: Saga): readonly FulfillmentEvent[] {
  const { orderVersion, total, lines, payments } = command;
  const isOpen = saga.status === 'Running' || saga.status === 'Quarantined';
  if (!isOpen || orderVersion <= saga.amendedTo || saga.attempts['authorize/run'] !== undefined) return [];
  const { orderId } = saga.order;
  return [{ type: 'OrderAmendmentNoted', data: { orderId, orderVersion, total, lines, payments } }];
}

function notePaid(
  { paymentId, captureId, amount }: Extract<NoteOrderSignal, { readonly signal: 'paid' }>,
  saga: Saga,
  noted: FulfillmentEvent,
): readonly FulfillmentEvent[] {
  const step = collectStep(paymentId);
  if (!isAwaited(saga, paymentId)) return [];
  const { orderId } = saga.order;
  const result = { captureId, amount: String(amount) };
  return [noted, { type: 'StepSucceeded', data: { orderId, step, direction: 'run', attempt: 1, result } }];
}

/** A payment made later, not heard of so far. What the saga captures by itself, it knows from the gateway. */
function isAwaited(saga: Saga, paymentId: string): boolean {
  const payment = saga.order.payments.find((each) => each.paymentId === paymentId);
  const step = collectStep(paymentId);
  return payment !== undefined && isPaidLater(payment) && !saga.collected.includes(step);
}

function fireTimer({ timerId }: FireTimer, saga: Saga): readonly FulfillmentEvent[] {
  const kind = saga.timers[timerId];
  if (kind === undefined) return [];
  return [{ type: 'TimerFired', data: { orderId: saga.order.orderId, timerId, kind } }];
}

function fold(state: SagaState, events: readonly FulfillmentEvent[]): SagaState {
  return events.reduce(evolve, state);
}
