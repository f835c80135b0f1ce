import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import { OperationalFailure } from '../failures.ts';
import { backoffMs, openRetry, type RetryPolicy } from './retry.ts';

const policy: RetryPolicy = {
  attemptsMax: 3,
  backoffBaseMs: 50,
  backoffMaxMs: 1000,
  budget: { earnedPerCall: 0.1, reserve: 10 },
};

const failure = (code: ErrorCode, retryable = true) => new OperationalFailure(code, 'scripted', { retryable });

/** Runs one call whose attempts fail with these in order, then answer. */
function scripted(failures: readonly Error[], changes: Partial<RetryPolicy> = {}) {
  const slept: number[] = [];
  const sleep = (ms: number) => Promise.resolve(void slept.push(ms));
  const retry = openRetry({ ...policy, ...changes }, { sleep, random: () => 0.5 });
  let attempts = 0;
  const call = retry((number) => {
    attempts += 1;
    const next = failures[number - 1];
    return next ? Promise.reject(next) : Promise.resolve('answer');
  });
  return { call, slept, attempts: () => attempts };
}

describe('retry', () => {
  it('repeats a retryable failure with doubling waits', async () => {
    const { call, slept } = scripted([failure('DEPENDENCY_FAILED'), failure('DEPENDENCY_TIMEOUT')]);
    expect(await call).toBe('answer');
    expect(slept).toEqual([25, 50]);
  });

  it('throws the last failure when the attempts are used up', async () => {
    const last = failure('DEPENDENCY_TIMEOUT');
    const { call, attempts } = scripted([failure('DEPENDENCY_FAILED'), failure('DEPENDENCY_FAILED'), last]);
    await expect(call).rejects.toBe(last);
    expect(attempts()).toBe(3);
  });

  it.each([
    ['a refusal', failure('DEPENDENCY_REFUSED', false)],
    ['a bug', new TypeError('bug')],
    ['an open breaker', failure('BREAKER_OPEN')],
    ['a full bulkhead', failure('OVERLOADED')],
  ])('does not repeat %s', async (_, error) => {
    const { call, attempts } = scripted([error]);
    await expect(call).rejects.toBe(error);
    expect(attempts()).toBe(1);
  });

  it('does not repeat what the policy excludes', async () => {
    const timeout = failure('DEPENDENCY_TIMEOUT');
    const { call, attempts } = scripted([timeout], { retryOn: ({ code }) => code !== 'DEPENDENCY_TIMEOUT' });
    await expect(call).rejects.toBe(timeout);
    expect(attempts()).toBe(1);
  });

  it('keeps an unknown outcome unknown when the breaker opens before the retry', async () => {
    const timeout = failure('DEPENDENCY_TIMEOUT');
    await expect(scripted([timeout, failure('BREAKER_OPEN')]).call).rejects.toBe(timeout);
  });

  it('spends at most 10 % extra attempts, beyond its reserve, in a steady outage', async () => {
    const retry = openRetry(policy, { sleep: () => Promise.resolve(), random: Math.random });
    let attempts = 0;
    const fail = () => {
      attempts += 1;
      return Promise.reject(failure('DEPENDENCY_FAILED'));
    };
    for (let call = 0; call < 1000; call += 1) await retry(fail).catch(() => undefined);
    expect(attempts).toBeLessThanOrEqual(1000 * 1.1 + policy.budget.reserve);
    expect(attempts).toBeGreaterThanOrEqual(1000 * 1.1 - 1);
  });

  it('stops waiting when the caller aborts', async () => {
    const controller = new AbortController();
    const retry = openRetry({ ...policy, backoffBaseMs: 60_000, backoffMaxMs: 60_000 });
    const error = failure('DEPENDENCY_FAILED');
    const call = retry(() => Promise.reject(error), controller.signal);
    setTimeout(() => controller.abort(), 10);
    await expect(call).rejects.toBe(error);
  });
});

describe('backoff', () => {
  it('stays within full jitter for every attempt', () => {
    const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), random, (attempt, chance) => {
        const ms = backoffMs(policy, attempt, () => chance);
        expect(ms).toBeGreaterThanOrEqual(0);
        expect(ms).toBeLessThanOrEqual(Math.min(1000, 50 * 2 ** (attempt - 1)));
      }),
    );
  });

  it('spreads as uniformly as its random numbers', () => {
    const waits = Array.from({ length: 1000 }, (_, i) => backoffMs(policy, 3, () => i / 1000));
    for (const [i, ms] of waits.entries()) expect(ms).toBeCloseTo((i * 200) / 1000);
  });
});
