import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FulfillmentEvent } from '../../schemas/generated/events.ts';
import type { OrderId } from '../../schemas/ids.ts';
import { stepNames } from './saga-advance.ts';
import type { SagaCommand, StartFulfillment } from './commands.ts';
import { decide, failuresMax, nextEffect, react, sagaDecider } from './saga.ts';
import { evolve, type SagaState } from './saga-state.ts';

const orderId = '7f0f6a35-7d0f-5b3c-9c3e-0a8f3f5f1c11' as OrderId;
const card = { paymentId: 'p1', method: 'card', amount: 1000 };
const slip = { paymentId: 's1', method: 'bank_slip', amount: 1000 };
const expiryTimer = `${orderId}/unpaid-expiry`;

function startWith(...payments: StartFulfillment['payments']): StartFulfillment {
  const lines = [{ lineId: 'l1', sku: 'cup', quantity: 2 }];
  return {
    type: 'StartFulfillment',
    orderId,
    customerId: 'c1',
    currency: 'EUR',
    total: 1000,
    lines,
    payments,
    unpaidExpiryMs: 900_000,
  };
}

/** Applies commands one after the other and keeps what each made. */
function tell(...commands: readonly SagaCommand[]) {
  let state: SagaState = sagaDecider.initial;
  let last: readonly FulfillmentEvent[] = [];
  const all: FulfillmentEvent[] = [];
  for (const command of commands) {
    const decision = decide(command, state);
    if (decision.outcome === 'rejected') throw new Error(decision.rejection.code);
    last = decision.events.map(({ event }) => event);
    state = last.reduce(evolve, state);
    all.push(...last);
  }
  return { state, last: last.map(wordOf), all };
}

function wordOf({ type, data }: FulfillmentEvent): string {
  if ('direction' in data) return `${type} ${data.step}/${data.direction}/${data.attempt}`;
  if ('reason' in data) return `${type} ${data.reason}`;
  return 'signal' in data ? `${type} ${data.signal}` : type;
}

function succeed(step: string, direction: 'run' | 'undo' = 'run'): SagaCommand {
  return { type: 'RecordStepSucceeded', step, direction, attempt: 1, result: {} };
}

function refuse(step: string, code: string): SagaCommand {
  return { type: 'RecordStepRefused', step, direction: 'run', attempt: 1, code };
}

function fail(step: string, failures: number, code = 'DEPENDENCY_TIMEOUT'): SagaCommand {
  const attempt = { step, direction: 'run', attempt: 1 } as const;
  return { type: 'RecordStepFailed', ...attempt, code, failures, retryInMs: 500 };
}

function fire(timer: string): SagaCommand {
  return { type: 'FireTimer', timerId: `${orderId}/${timer}` };
}

const paid: SagaCommand = { type: 'NoteOrderSignal', signal: 'paid', paymentId: 's1', captureId: 'cap', amount: 1000 };
const cancelled: SagaCommand = { type: 'NoteOrderSignal', signal: 'cancelled' };

describe('the fulfillment saga goes forward', () => {
  it('starts with the expiry timer and the first attempt in one append', () => {
    expect(tell(startWith(card)).last).toEqual(['FulfillmentStarted', 'TimerScheduled', 'StepAttempted risk/run/1']);
  });

  it('records the next attempt in the append of the outcome before', () => {
    expect(tell(startWith(card), succeed('risk')).last).toEqual([
      'StepSucceeded risk/run/1',
      'StepAttempted reserve/run/1',
    ]);
  });

  it('cancels the expiry when the payment is captured', () => {
    const commands = ['risk', 'reserve', 'authorize', 'book', 'capture'].map((step) => succeed(step));
    expect(tell(startWith(card), ...commands).last).toEqual([
      'StepSucceeded capture/run/1',
      'TimerCancelled',
      'StepAttempted dispatch/run/1',
    ]);
  });

  it('completes after every step and then wants nothing', () => {
    const { state, last } = tell(startWith(card), ...stepNames.map((step) => succeed(step)));
    expect(last).toEqual(['StepSucceeded deliver/run/1', 'FulfillmentCompleted']);
    expect(react(state)).toEqual([]);
  });

  it('names the effect by order, step and attempt', () => {
    expect(nextEffect(tell(startWith(card)).state)).toMatchObject({ effectKey: `${orderId}/risk/1`, direction: 'run' });
  });
});

describe('the fulfillment saga meets a slip that is paid later', () => {
  const waiting = [startWith(slip), succeed('risk'), succeed('reserve')];

  it('is idle before the authorization until the order tells that it is paid', () => {
    const { state, last } = tell(...waiting);
    expect(last).toEqual(['StepSucceeded reserve/run/1']);
    expect(nextEffect(state)).toBeNull();
    expect(tell(...waiting, paid).last).toEqual([
      'OrderSignalNoted paid',
      'StepSucceeded collect:s1/run/1',
      'StepAttempted authorize/run/1',
    ]);
  });

  it('turns back when it expires, and asks the order first', () => {
    const asked = tell(...waiting, fire('unpaid-expiry'));
    expect(asked.last).toEqual(['TimerFired', 'StepAttempted expire-order/run/1']);
    expect(tell(...waiting, fire('unpaid-expiry'), succeed('expire-order')).last).toEqual([
      'StepSucceeded expire-order/run/1',
      'CompensationBegun payment_expired',
      'StepAttempted reserve/undo/1',
    ]);
  });

  it('goes on when the order refuses to expire because it is paid', () => {
    const refused = [...waiting, fire('unpaid-expiry'), refuse('expire-order', 'ORDER_PAID')];
    expect(tell(...refused).last).toEqual(['StepFailed expire-order/run/1']);
    expect(tell(...refused, paid).last.at(-1)).toBe('StepAttempted authorize/run/1');
  });

  it('pays a slip back that was paid after the end, once', () => {
    const ended = [...waiting, cancelled, succeed('reserve', 'undo'), succeed('risk', 'undo')];
    expect(tell(...ended).last.at(-1)).toBe('FulfillmentCompensated cancelled');
    expect(tell(...ended, paid).last.slice(1)).toEqual([
      'StepSucceeded collect:s1/run/1',
      'CompensationBegun cancelled',
      'StepAttempted collect:s1/undo/1',
    ]);
    expect(tell(...ended, paid, succeed('collect:s1', 'undo')).last.at(-1)).toBe('FulfillmentCompensated cancelled');
    expect(tell(...ended, paid, succeed('collect:s1', 'undo'), paid).last).toEqual([]);
  });

  it('does not mind a capture of its own', () => {
    expect(tell(startWith(card), { ...paid, paymentId: 'p1' }).last).toEqual([]);
  });
});

describe('the fulfillment saga hears of an amendment', () => {
  const lines = [{ lineId: 'l1', sku: 'cup', quantity: 5 }];
  const amended = (orderVersion: number, total = 1500): SagaCommand => ({
    ...({ type: 'NoteOrderAmended', orderVersion, total, lines } as const),
    payments: [{ ...slip, amount: total }],
  });
  const waiting = [startWith(slip), succeed('risk'), succeed('reserve')];

  it('and assesses and reserves anew before it waits again', () => {
    expect(tell(...waiting, amended(2)).last).toEqual(['OrderAmendmentNoted', 'StepAttempted risk:2/run/1']);
    const again = [...waiting, amended(2), succeed('risk:2')];
    expect(tell(...again).last.at(-1)).toBe('StepAttempted reserve:2/run/1');
    expect(nextEffect(tell(...again).state)).toMatchObject({ order: { total: 1500, lines } });
    expect(tell(...again, succeed('reserve:2')).last).toEqual(['StepSucceeded reserve:2/run/1']);
    expect(tell(...again, succeed('reserve:2'), paid).last.at(-1)).toBe('StepAttempted authorize/run/1');
  });

  it('while a step is in flight, which goes on to ask what it was recorded with', () => {
    const noted = tell(startWith(slip), succeed('risk'), amended(2));
    expect(noted.last).toEqual(['OrderAmendmentNoted']);
    expect(nextEffect(noted.state)).toMatchObject({ step: 'reserve', order: { total: 1000 } });
    const failed = [startWith(slip), succeed('risk'), amended(2), fail('reserve', 0), fire('reserve/run/1/retry/1')];
    expect(nextEffect(tell(...failed).state)).toMatchObject({
      effectKey: `${orderId}/reserve/1`,
      order: { total: 1000 },
    });
    expect(tell(...failed, succeed('reserve')).last.at(-1)).toBe('StepAttempted risk:2/run/1');
  });

  it('and leaves out what a later one overtook', () => {
    const twice = [...waiting, amended(2), amended(3, 1600), succeed('risk:2')];
    expect(tell(...twice).last.at(-1)).toBe('StepAttempted risk:3/run/1');
    expect(tell(...twice, amended(2), amended(3)).last).toEqual([]);
  });

  it('and turns back where there is no stock for it', () => {
    const refusal = [...waiting, amended(2), succeed('risk:2'), refuse('reserve:2', 'OUT_OF_STOCK')];
    expect(tell(...refusal).last).toContain('CompensationBegun out_of_stock');
    const undone = [succeed('cancel-order'), succeed('risk:2', 'undo'), succeed('reserve', 'undo')];
    expect(tell(...refusal, ...undone).last.at(-1)).toBe('StepAttempted risk/undo/1');
  });

  it('too late, once its payment has begun or it turned back, and does nothing', () => {
    expect(tell(...waiting, paid, amended(2)).last).toEqual([]);
    expect(tell(...waiting, cancelled, amended(2)).last).toEqual([]);
  });

  it('down to nothing, and waits for no slip', () => {
    const free = [...waiting, amended(2, 0), succeed('risk:2'), succeed('reserve:2')];
    expect(tell(...free).last.at(-1)).toBe('StepAttempted authorize/run/1');
  });
});

describe('the fulfillment saga turns back', () => {
  it.each([
    ['risk', 'SCORE', 'risk_rejected'],
    ['reserve', 'OUT_OF_STOCK', 'out_of_stock'],
    ['authorize', 'CARD_DECLINED', 'payment_failed'],
    ['book', 'NO_ROUTE', 'shipping_failed'],
    ['capture', 'AUTHORIZATION_VOIDED', 'payment_failed'],
    ['dispatch', 'ORDER_NOT_PAID', 'payment_failed'],
  ])('cancels the order when %s is refused, then undoes in reverse order', (step, code, reason) => {
    const before = stepNames.slice(0, stepNames.indexOf(step as 'risk'));
    const way = [startWith(card), ...before.map((each) => succeed(each)), refuse(step, code)];
    expect(tell(...way).last).toContain(`CompensationBegun ${reason}`);
    expect(tell(...way).last.at(-1)).toBe('StepAttempted cancel-order/run/1');
    const undone = [succeed('cancel-order'), ...[...before].reverse().map((each) => succeed(each, 'undo'))];
    const { all } = tell(...way, ...undone);
    const undos = all.filter(
      ({ type, data }) => type === 'StepSucceeded' && 'direction' in data && data.direction === 'undo',
    );
    expect(undos.map(({ data }) => ('step' in data ? data.step : ''))).toEqual([...before].reverse());
    expect(wordOf(all.at(-1) ?? { type: 'FulfillmentCompleted', data: { orderId } })).toBe(
      `FulfillmentCompensated ${reason}`,
    );
  });

  it('lets the step in flight finish before it follows a cancel', () => {
    const noted = tell(startWith(card), succeed('risk'), cancelled);
    expect(noted.last).toEqual(['OrderSignalNoted cancelled']);
    expect(nextEffect(noted.state)?.step).toBe('reserve');
    expect(tell(startWith(card), succeed('risk'), cancelled, succeed('reserve')).last).toEqual([
      'StepSucceeded reserve/run/1',
      'CompensationBegun cancelled',
      'TimerCancelled',
      'StepAttempted reserve/undo/1',
    ]);
  });

  it('follows the order that refuses to begin dispatch without cancelling it again', () => {
    const way = ['risk', 'reserve', 'authorize', 'book', 'capture'].map((step) => succeed(step));
    expect(tell(startWith(card), ...way, refuse('dispatch', 'ORDER_CANCELLED')).last).toEqual([
      'StepFailed dispatch/run/1',
      'CompensationBegun cancelled',
      'StepAttempted capture/undo/1',
    ]);
  });

  it('names the run in the key of its undo', () => {
    const { state } = tell(
      startWith(card),
      succeed('risk'),
      refuse('reserve', 'OUT_OF_STOCK'),
      succeed('cancel-order'),
    );
    expect(nextEffect(state)?.effectKey).toBe(`${orderId}/risk/1/undo/1`);
  });

  it('quarantines where an undo is refused, and then wants nothing', () => {
    const way = [startWith(card), succeed('risk'), cancelled, succeed('reserve')];
    const { state, last } = tell(...way, { ...refuse('reserve', 'NO'), direction: 'undo' } as SagaCommand);
    expect(last.at(-1)).toBe('FulfillmentQuarantined');
    expect(react(state)).toEqual([]);
  });
});

describe('the fulfillment saga tries again', () => {
  it('waits for a timer and then asks under the same key while the outcome is unknown', () => {
    const failed = tell(startWith(card), fail('risk', 0));
    expect(failed.last).toEqual(['StepFailed risk/run/1', 'TimerScheduled']);
    expect(nextEffect(failed.state)).toBeNull();
    const again = tell(startWith(card), fail('risk', 0), fire('risk/run/1/retry/1'));
    expect(again.last).toEqual(['TimerFired']);
    expect(nextEffect(again.state)).toMatchObject({ effectKey: `${orderId}/risk/1`, failures: 1 });
  });

  it('takes a new key only where nothing happened for sure', () => {
    const again = [startWith(card), fail('risk', 0, 'DEPENDENCY_REFUSED'), fire('risk/run/1/retry/1')];
    expect(tell(...again).last).toEqual(['TimerFired', 'StepAttempted risk/run/2']);
  });

  it('gives up after so many failures, for this one order', () => {
    const failures = Array.from({ length: failuresMax }, (_, index) => [
      fail('risk', index),
      fire(`risk/run/1/retry/${index + 1}`),
    ]).flat();
    expect(tell(startWith(card), ...failures).state.status).toBe('Quarantined');
  });

  it('fires a timer only once', () => {
    expect(tell(startWith(slip), fire('unpaid-expiry'), fire('unpaid-expiry')).last).toEqual([]);
    expect(expiryTimer in (tell(startWith(slip)).state as { timers: object }).timers).toBe(true);
  });

  it('drops the outcome of an attempt that is not pending', () => {
    expect(tell(startWith(card), succeed('book')).last).toEqual([]);
    expect(tell(startWith(card), succeed('risk'), succeed('risk')).last).toEqual([]);
    expect(tell(startWith(card), fail('risk', 0), fail('risk', 0)).last).toEqual([]);
  });
});

describe('whatever it is told, the fulfillment saga', () => {
  const starts = fc.constantFrom<SagaCommand>(startWith(card), startWith(card, slip));
  const amendedTo = (orderVersion: number): SagaCommand => {
    const total = orderVersion * 100;
    return { type: 'NoteOrderAmended', orderVersion, total, lines: [], payments: [{ ...slip, amount: total }] };
  };
  const expired: SagaCommand = { type: 'NoteOrderSignal', signal: 'expired' };
  // Mostly success: else few sagas come far enough to have several steps to undo.
  const further = fc.oneof(
    { weight: 12, arbitrary: fc.constant('succeed') },
    { weight: 5, arbitrary: fc.constantFrom('refuse', 'fail', 'wait', 'fire', 'quarantine') },
    { weight: 2, arbitrary: fc.constantFrom<SagaCommand>(paid, cancelled, expired, fire('unpaid-expiry')) },
    { weight: 2, arbitrary: fc.integer({ min: 2, max: 5 }).map(amendedTo) },
    { weight: 1, arbitrary: starts },
  );
  const commands = fc
    .tuple(starts, fc.array(further, { maxLength: 60, size: 'max' }))
    .map(([start, rest]): readonly (SagaCommand | string)[] => [start, ...rest]);

  /** Answers what the saga asks for, or a timer that it waits for. */
  function answerTo(state: SagaState, answer: string): SagaCommand {
    if (state.status === 'Unstarted' || state.pending === null) return startWith(card);
    const { step, direction, attempt } = state.pending;
    const of = { step, direction, attempt };
    switch (answer) {
      case 'succeed':
        return { type: 'RecordStepSucceeded', ...of, result: {} };
      case 'refuse':
        return { type: 'RecordStepRefused', ...of, code: 'NO' };
      case 'fail': {
        const failures = state.failures[`${step}/${direction}`] ?? 0;
        return { type: 'RecordStepFailed', ...of, code: 'DEPENDENCY_TIMEOUT', failures, retryInMs: 1 };
      }
      case 'wait':
        return { type: 'RecordStepWaiting', ...of, waits: state.waits, checkInMs: 1 };
      case 'quarantine':
        return { type: 'Quarantine', ...of, code: 'INTERNAL', detail: 'a bug' };
      default:
        return { type: 'FireTimer', timerId: state.pending.waitsFor ?? '' };
    }
  }

  function history(told: readonly (SagaCommand | string)[], repeat: boolean): readonly FulfillmentEvent[] {
    let state: SagaState = sagaDecider.initial;
    const events: FulfillmentEvent[] = [];
    for (const each of told) {
      const command = typeof each === 'string' ? answerTo(state, each) : each;
      for (let times = repeat ? 2 : 1; times > 0; times -= 1) {
        const decision = decide(command, state);
        if (decision.outcome === 'rejected') throw new Error('a saga refuses nothing');
        const made = decision.events.map(({ event }) => event);
        state = made.reduce(evolve, state);
        events.push(...made);
      }
    }
    return events;
  }

  it('answers a repeated command with no second event', () => {
    fc.assert(
      fc.property(commands, (told) => {
        expect(history(told, true)).toEqual(history(told, false));
      }),
    );
  });

  it('undoes each succeeded step at most once, the last first, and attempts before each outcome', () => {
    fc.assert(
      fc.property(commands, (told) => {
        const done: string[] = [];
        let attempted = '';
        for (const { type, data } of history(told, false)) {
          if (!('direction' in data)) continue;
          const name = `${data.step}/${data.direction}/${data.attempt}`;
          // What a payment collects while an undo is in flight is undone after it.
          if (type === 'StepAttempted' && data.direction === 'undo') expect(data.step).toBe(done.at(-1));
          if (type === 'StepAttempted') attempted = name;
          else if (!data.step.startsWith('collect') || data.direction === 'undo') expect(name).toBe(attempted);
          if (type !== 'StepSucceeded' || data.step.endsWith('-order')) continue;
          if (data.direction === 'run') done.push(data.step);
          else expect(done.splice(done.lastIndexOf(data.step), 1)).toEqual([data.step]);
        }
      }),
    );
  });

  it('ends compensated only when nothing is left to undo', () => {
    fc.assert(
      fc.property(commands, (told) => {
        const state = history(told, false).reduce(evolve, sagaDecider.initial);
        if (state.status === 'Compensated') expect(state.done).toEqual([]);
      }),
    );
  });
});
