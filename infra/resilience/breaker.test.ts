import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OperationalFailure } from '../failures.ts';
import { openBreaker, type Breaker, type BreakerPolicy, type BreakerState } from './breaker.ts';

const policy: BreakerPolicy = {
  failurePercentMin: 60,
  callsMin: 20,
  windowMs: 1000,
  windowBuckets: 10,
  openMs: 60_000,
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

function opened(changes: Partial<BreakerPolicy> = {}) {
  const states: BreakerState[] = [];
  const onStateChange = (state: BreakerState) => void states.push(state);
  return { states, breaker: openBreaker({ name: 'payments', ...policy, ...changes, onStateChange }) };
}

const failing = () => Promise.reject(new OperationalFailure('DEPENDENCY_FAILED', 'scripted', { retryable: true }));
const answering = () => Promise.resolve('answer');

/** The code that a call ends with, or `answered`. */
function outcome(breaker: Breaker, attempt: () => Promise<unknown>): Promise<string> {
  return breaker(attempt).then(
    () => 'answered',
    (error: unknown) => (error instanceof OperationalFailure ? error.code : 'INTERNAL'),
  );
}

async function calls(breaker: Breaker, { failures, successes }: { failures: number; successes: number }) {
  for (let i = 0; i < failures; i += 1) await outcome(breaker, failing);
  for (let i = 0; i < successes; i += 1) await outcome(breaker, answering);
}

describe('breaker', () => {
  it.each([
    { failures: 12, successes: 8, state: 'open' },
    { failures: 24, successes: 16, state: 'open' },
    { failures: 11, successes: 8, state: 'closed' },
    { failures: 19, successes: 0, state: 'closed' },
    { failures: 20, successes: 0, state: 'open' },
    { failures: 11, successes: 9, state: 'closed' },
    { failures: 59, successes: 41, state: 'closed' },
    { failures: 60, successes: 40, state: 'open' },
  ])('is $state after $successes successes and $failures failures at once', async ({ failures, successes, state }) => {
    const { breaker } = opened();
    await calls(breaker, { failures: 0, successes });
    await calls(breaker, { failures, successes: 0 });
    expect(await outcome(breaker, answering)).toBe(state === 'open' ? 'BREAKER_OPEN' : 'answered');
  });

  it('opens at the twentieth call also when that one succeeds', async () => {
    const { breaker, states } = opened();
    await calls(breaker, { failures: 12, successes: 7 });
    expect(states).toEqual([]);
    await calls(breaker, { failures: 0, successes: 1 });
    expect(states).toEqual(['open']);
  });

  it('opens when calls in flight all fail later than the window', async () => {
    const { breaker, states } = opened();
    const slow = () => new Promise((_, reject) => setTimeout(() => void failing().catch(reject), 1500));
    const all = Promise.all(Array.from({ length: 200 }, () => outcome(breaker, slow)));
    await vi.advanceTimersByTimeAsync(1500);
    await all;
    expect(states).toEqual(['open']);
  });

  it('forgets what is older than its window', async () => {
    const { breaker, states } = opened();
    await calls(breaker, { failures: 19, successes: 0 });
    await vi.advanceTimersByTimeAsync(1100);
    await calls(breaker, { failures: 19, successes: 0 });
    expect(states).toEqual([]);
  });

  it('does not count refusals and bugs as failures', async () => {
    const { breaker, states } = opened();
    const refusing = () => Promise.reject(new OperationalFailure('DEPENDENCY_REFUSED', 'no', { retryable: false }));
    for (let i = 0; i < 50; i += 1) expect(await outcome(breaker, refusing)).toBe('DEPENDENCY_REFUSED');
    for (let i = 0; i < 50; i += 1) {
      expect(await outcome(breaker, () => Promise.reject(new TypeError('bug')))).toBe('INTERNAL');
    }
    expect(states).toEqual([]);
  });

  it('stays open for 60 s, then lets exactly one trial through', async () => {
    const { breaker, states } = opened();
    await calls(breaker, { failures: 20, successes: 0 });
    await vi.advanceTimersByTimeAsync(59_999);
    expect(await outcome(breaker, answering)).toBe('BREAKER_OPEN');
    await vi.advanceTimersByTimeAsync(1);
    const trial = Promise.withResolvers<string>();
    const first = outcome(breaker, () => trial.promise);
    expect(await outcome(breaker, answering)).toBe('BREAKER_OPEN');
    trial.resolve('answer');
    expect(await first).toBe('answered');
    expect(await outcome(breaker, answering)).toBe('answered');
    expect(states).toEqual(['open', 'half-open', 'closed']);
  });

  it('opens for another 60 s when the trial fails', async () => {
    const { breaker, states } = opened();
    await calls(breaker, { failures: 20, successes: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(await outcome(breaker, failing)).toBe('DEPENDENCY_FAILED');
    await vi.advanceTimersByTimeAsync(59_999);
    expect(await outcome(breaker, answering)).toBe('BREAKER_OPEN');
    await vi.advanceTimersByTimeAsync(1);
    expect(await outcome(breaker, answering)).toBe('answered');
    expect(states).toEqual(['open', 'half-open', 'open', 'half-open', 'closed']);
  });

  it('is not closed by a straggler from before it opened', async () => {
    const { breaker, states } = opened({ openMs: 1000 });
    const straggler = Promise.withResolvers<string>();
    const late = outcome(breaker, () => straggler.promise);
    await calls(breaker, { failures: 20, successes: 0 });
    await vi.advanceTimersByTimeAsync(1000);
    straggler.resolve('answer');
    expect(await late).toBe('answered');
    expect(states).toEqual(['open', 'half-open']);
  });

  it('agrees with the reference model on random traces', async () => {
    const step = fc.oneof(
      { weight: 60, arbitrary: fc.constant('fail' as const) },
      { weight: 38, arbitrary: fc.constant('answer' as const) },
      { weight: 8, arbitrary: fc.constant('bucket' as const) },
      { weight: 1, arbitrary: fc.constant('rest' as const) },
    );
    let transitions = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 300, size: 'max' }), async (steps) => {
        // The earlier traces' breakers would keep rotating their buckets.
        vi.clearAllTimers();
        const { breaker, states } = opened({ openMs: REST_BUCKETS * 100 });
        const model = referenceModel();
        for (const one of steps) {
          if (one === 'bucket') await vi.advanceTimersByTimeAsync(100);
          if (one === 'rest') await vi.advanceTimersByTimeAsync(REST_BUCKETS * 100);
          if (one === 'fail') await outcome(breaker, failing);
          if (one === 'answer') await outcome(breaker, answering);
          model.step(one);
        }
        expect(states).toEqual(model.states);
        transitions += states.length;
      }),
      { numRuns: 300 },
    );
    expect(transitions).toBeGreaterThan(100);
  });
});

const REST_BUCKETS = 30;

/** Counts completed calls in the current bucket and the nine before it; time moves in whole buckets. */
function referenceModel() {
  const states: BreakerState[] = [];
  let state: BreakerState = 'closed';
  let [bucket, openedAt] = [0, 0];
  let completed: { bucket: number; failed: boolean }[] = [];
  const become = (next: BreakerState) => {
    state = next;
    states.push(next);
    if (next === 'open') openedAt = bucket;
  };
  const complete = (failed: boolean) => {
    if (state === 'open') return;
    completed.push({ bucket, failed });
    if (state === 'half-open') {
      become(failed ? 'open' : 'closed');
      return;
    }
    completed = completed.filter((call) => call.bucket > bucket - 10);
    const failures = completed.filter((call) => call.failed).length;
    if (completed.length >= 20 && failures * 100 >= 60 * completed.length) become('open');
  };
  return {
    states,
    step: (step: 'fail' | 'answer' | 'bucket' | 'rest') => {
      if (step === 'fail' || step === 'answer') {
        complete(step === 'fail');
        return;
      }
      bucket += step === 'bucket' ? 1 : REST_BUCKETS;
      if (state === 'open' && bucket - openedAt >= REST_BUCKETS) become('half-open');
    },
  };
}
