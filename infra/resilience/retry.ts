import { setTimeout as wait } from 'node:timers/promises';
import { isOperationalFailure, type OperationalFailure } from '../failures.ts';

export type RetryPolicy = {
  /** Attempts of one call, the first included. */
  readonly attemptsMax: number;
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  readonly budget: RetryBudget;
  /** Narrows which retryable failures are tried again here; all of them by default. */
  readonly retryOn?: (failure: OperationalFailure) => boolean;
};

/**
 * Each call earns `earnedPerCall` retries, each retry costs one, and at most `reserve` are saved up. In a steady
 * outage the attempts are therefore at most `1 + earnedPerCall` per call, beyond the one-time reserve.
 */
type RetryBudget = { readonly earnedPerCall: number; readonly reserve: number };

/** What a test replaces. `sleep` returns early when the signal aborts. */
export type RetryClock = {
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<void>;
  readonly random: () => number;
};

export type Retry = <T>(attempt: (number: number) => Promise<T>, signal?: AbortSignal) => Promise<T>;

/**
 * Repeats an attempt after retryable OperationalFailures with exponential backoff and full jitter, within the budget.
 * What was not sent (BREAKER_OPEN, OVERLOADED) is not repeated here: the wait is for whoever owns the work. When such
 * an answer follows an attempt that may have had its effect, the earlier failure is thrown, for that is the one whose
 * outcome is unknown.
 */
export function openRetry(policy: RetryPolicy, clock: RetryClock = realClock): Retry {
  const budget = openBudget(policy.budget);
  return async (attempt, signal) => {
    budget.earn();
    for (let number = 1, sent: OperationalFailure | undefined; ; number += 1) {
      try {
        return await attempt(number);
      } catch (error) {
        if (!isOperationalFailure(error) || !error.retryable) throw error;
        if (wasNotSent(error)) throw sent ?? error;
        sent = error;
        if (number >= policy.attemptsMax || policy.retryOn?.(error) === false) throw error;
        if (signal?.aborted || !budget.spend()) throw error;
        await clock.sleep(backoffMs(policy, number, clock.random), signal);
        if (signal?.aborted) throw error;
      }
    }
  };
}

/** Full jitter: uniform in [0, min(backoffMaxMs, backoffBaseMs · 2^(attempt−1))); after the AWS architecture blog, 2015. */
export function backoffMs(
  { backoffBaseMs, backoffMaxMs }: Pick<RetryPolicy, 'backoffBaseMs' | 'backoffMaxMs'>,
  attempt: number,
  random: () => number,
): number {
  return random() * Math.min(backoffMaxMs, backoffBaseMs * 2 ** (attempt - 1));
}

function wasNotSent(failure: OperationalFailure): boolean {
  return failure.code === 'BREAKER_OPEN' || failure.code === 'OVERLOADED';
}

function openBudget({ earnedPerCall, reserve }: RetryBudget) {
  let saved = reserve;
  return {
    earn: () => {
      saved = Math.min(reserve, saved + earnedPerCall);
    },
    spend: () => {
      if (saved < 1) return false;
      saved -= 1;
      return true;
    },
  };
}

const realClock: RetryClock = {
  // An abort ends the wait; the loop above then reports the failure that it was waiting on.
  sleep: (ms, signal) => wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
  random: Math.random,
};
