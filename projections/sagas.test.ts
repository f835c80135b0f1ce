import { describe, expect, it } from 'vitest';
import type { AnyEvent } from '../schemas/envelope.ts';
import { anOrderId, recorded } from './examples.ts';
import { openSagas, type OpenSaga } from './open-sagas/projection.ts';
import { foldDocument } from './projection.ts';
import { sagaTimers } from './saga-timers/projection.ts';

const orderId = anOrderId('order');
const started: AnyEvent = {
  type: 'FulfillmentStarted',
  data: { orderId, customerId: 'c', currency: 'EUR', total: 1, lines: [], payments: [] },
};
const step = { orderId, step: 'capture-payment', direction: 'run' } as const;
const attempted: AnyEvent = { type: 'StepAttempted', data: { ...step, attempt: 2, effectKey: 'k' } };
const failed: AnyEvent = {
  type: 'StepFailed',
  data: { ...step, attempt: 2, code: 'DEPENDENCY_TIMEOUT', final: false },
};
const scheduled: AnyEvent = {
  type: 'TimerScheduled',
  data: { orderId, timerId: 't1', kind: 'retry-step', delayMs: 1_500 },
};
const fired: AnyEvent = { type: 'TimerFired', data: { orderId, timerId: 't1', kind: 'retry-step' } };
const quarantined: AnyEvent = {
  type: 'FulfillmentQuarantined',
  data: { orderId, step: 'ship-order', code: 'INTERNAL', detail: 'a bug' },
};

function saga(...events: readonly AnyEvent[]): OpenSaga | null {
  return foldDocument(openSagas, recorded(events), { key: orderId, document: null });
}

describe('open-sagas', () => {
  it('shows the step, its attempts and its last error', () => {
    expect(saga(started, attempted, failed)).toMatchObject({
      ...{ status: 'running', step: 'capture-payment', direction: 'run', attempts: 2 },
      ...{ lastError: 'DEPENDENCY_TIMEOUT', version: 3 },
    });
  });

  it('shows the next timer until it fired', () => {
    expect(saga(started, scheduled)?.nextTimerAt).toBe('2026-01-01T12:00:02.500Z');
    expect(saga(started, scheduled, fired)?.nextTimerAt).toBeNull();
  });

  it('ends with the saga, and keeps one that is quarantined', () => {
    expect(saga(started, { type: 'FulfillmentCompleted', data: { orderId } })).toBeNull();
    expect(saga(started, { type: 'FulfillmentCompensated', data: { orderId, reason: 'x' } }, failed)).toBeNull();
    expect(saga(started, quarantined)).toMatchObject({
      status: 'quarantined',
      step: 'ship-order',
      lastError: 'INTERNAL',
    });
  });

  it('is open again when it turns back once more after its end', () => {
    const late: AnyEvent = { type: 'CompensationBegun', data: { orderId, reason: 'expired' } };
    const ended: AnyEvent = { type: 'FulfillmentCompensated', data: { orderId, reason: 'expired' } };
    expect(saga(started, ended, late)).toMatchObject({ status: 'compensating', version: 3 });
    expect(saga(started, ended, late, ended)).toBeNull();
  });

  it('runs again with the attempt that follows a quarantine', () => {
    expect(saga(started, quarantined, attempted)?.status).toBe('running');
    expect(saga(started, { type: 'CompensationBegun', data: { orderId, reason: 'x' } })?.status).toBe('compensating');
  });
});

describe('saga-timers', () => {
  const timer = (...events: readonly AnyEvent[]) =>
    foldDocument(sagaTimers, recorded(events), { key: 't1', document: null });

  it('is due its delay after it was recorded', () => {
    expect(timer(started, scheduled)).toEqual({
      ...{ timerId: 't1', orderId, kind: 'retry-step' },
      dueAt: '2026-01-01T12:00:02.500Z',
    });
  });

  it('is gone when it fired or was cancelled', () => {
    expect(timer(scheduled, fired)).toBeNull();
    expect(timer(scheduled, { type: 'TimerCancelled', data: { orderId, timerId: 't1' } })).toBeNull();
  });
});
