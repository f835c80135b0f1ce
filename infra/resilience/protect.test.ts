import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openAnswerer } from '../../test/answerer.ts';
import { stallMs } from '../../test/starve.ts';
import { isOperationalFailure, OperationalFailure } from '../failures.ts';
import { defaultLimits, protect, type ObservedAttempt } from './protect.ts';
import type { Call } from './timeout.ts';

type Echo = { readonly echo: (request: string, call?: Call) => Promise<string> };

const failed = () => new OperationalFailure('DEPENDENCY_FAILED', 'scripted', { retryable: true });
const instantly = { sleep: () => Promise.resolve(), random: () => 0 };

/** Ends only when its own signal says so. */
function hanging(signals: AbortSignal[] = []): Echo {
  return {
    echo: (_, call) =>
      new Promise((_resolve, reject) => {
        if (!call) return;
        signals.push(call.signal);
        call.signal.addEventListener('abort', () => reject(failed()));
      }),
  };
}

describe('protect', () => {
  it('passes requests and answers through', async () => {
    const port: Echo = { echo: (request) => Promise.resolve(`${request}!`) };
    expect(await protect(port, { name: 'echo' }).echo('hello')).toBe('hello!');
  });

  it('ends an attempt at its timeout, also when the port ignores its signal', async () => {
    const port: Echo = { echo: () => new Promise(() => undefined) };
    const echo = protect(port, { name: 'echo', timeoutMs: 30, attemptsMax: 1 });
    const startedAt = performance.now();
    await expect(echo.echo('hello')).rejects.toMatchObject({ code: 'DEPENDENCY_TIMEOUT', retryable: true });
    expect(performance.now() - startedAt).toBeLessThan(500);
  });

  it("aborts a timed-out call's own signal and no other", async () => {
    const signals: AbortSignal[] = [];
    const echo = protect(hanging(signals), { name: 'echo', timeoutMs: 100, attemptsMax: 1 });
    const first = echo.echo('first').catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 60));
    const second = echo.echo('second').catch(() => undefined);
    await first;
    expect(signals.map((signal) => signal.aborted)).toEqual([true, false]);
    await second;
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true]);
  });

  it("hands the caller's abort on to the attempt and does not try again", async () => {
    const signals: AbortSignal[] = [];
    const controller = new AbortController();
    const call = protect(hanging(signals), { name: 'echo' }).echo('hello', { signal: controller.signal });
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'DEPENDENCY_FAILED' });
    expect(signals).toHaveLength(1);
  });

  it('refuses what exceeds the bulkhead at once, and takes more when there is room', async () => {
    const gates: (() => void)[] = [];
    const port: Echo = { echo: (request) => new Promise((resolve) => gates.push(() => resolve(request))) };
    const echo = protect(port, { name: 'echo', concurrencyMax: 2 });
    const running = [echo.echo('a'), echo.echo('b')];
    await expect(echo.echo('c')).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
    for (const open of gates) open();
    expect(await Promise.all(running)).toEqual(['a', 'b']);
    const next = echo.echo('d');
    gates.at(-1)?.();
    expect(await next).toBe('d');
  });

  it('shares one breaker among the methods of a port', async () => {
    const port = { ask: () => Promise.reject(failed()), tell: () => Promise.resolve('told') };
    const { ask, tell } = protect(port, { name: 'echo', attemptsMax: 1, clock: instantly });
    for (let i = 0; i < 20; i += 1) await ask().catch(() => undefined);
    await expect(tell()).rejects.toMatchObject({ code: 'BREAKER_OPEN', retryable: true });
  });

  it('tells an observer every attempt and every change of the breaker', async () => {
    const attempts: ObservedAttempt[] = [];
    const changes: string[] = [];
    const observer = {
      onAttempt: (attempt: ObservedAttempt) => void attempts.push(attempt),
      onStateChange: ({ dependency, state }: { dependency: string; state: string }) =>
        void changes.push(`${dependency} ${state}`),
    };
    let left = 2;
    const port: Echo = { echo: (request) => (left-- > 0 ? Promise.reject(failed()) : Promise.resolve(request)) };
    const echo = protect(port, { name: 'payments', observer, clock: instantly });
    await echo.echo('hello');
    expect(attempts.map(({ number, outcome }) => `${number} ${outcome}`)).toEqual([
      '1 DEPENDENCY_FAILED',
      '2 DEPENDENCY_FAILED',
      '3 answered',
    ]);
    left = 1000;
    for (let i = 0; i < 100; i += 1) await echo.echo('hello').catch(() => undefined);
    expect(changes).toEqual(['payments open']);
  });

  it('takes stalls of our own for no outage, though every call in flight meets them: the breaker stays closed', async () => {
    const answerer = await openAnswerer(50);
    const changes: string[] = [];
    const observer = { onStateChange: ({ state }: { readonly state: string }) => void changes.push(state) };
    const port: Echo = { echo: (request) => answerer.ask().then(() => request) };
    const echo = protect(port, { name: 'echo', observer });
    const inFlight = Array.from({ length: 18 }, () => echo.echo('hello'));
    for (let stall = 0; stall < 2; stall += 1) {
      await turn();
      stallMs(900);
      // What follows from the stall begins: answers are read, or calls are given up and made again.
      await new Promise((resolve) => setTimeout(resolve, 60));
    }
    expect(await Promise.all(inFlight)).toEqual(Array.from({ length: 18 }, () => 'hello'));
    expect(changes).toEqual([]);
    await answerer.close();
  });

  it('calls a dead dependency at most 20 times before it fails fast', async () => {
    let sent = 0;
    const port: Echo = {
      echo: () => {
        sent += 1;
        return Promise.reject(failed());
      },
    };
    const echo = protect(port, { name: 'echo', clock: instantly });
    const failures: unknown[] = [];
    for (let i = 0; i < 500; i += 1) await echo.echo('hello').catch((error: unknown) => failures.push(error));
    expect(failures).toHaveLength(500);
    expect(failures.every((error) => isOperationalFailure(error))).toBe(true);
    expect(sent).toBe(defaultLimits.breaker.callsMin);
  });
});
