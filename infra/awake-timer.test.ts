import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it } from 'vitest';
import { openAnswerer, type Answerer } from '../test/answerer.ts';
import { stallMs, starve } from '../test/starve.ts';
import { startAwakeTimer } from './awake-timer.ts';

const answerers: Answerer[] = [];
afterEach(() => Promise.all(answerers.splice(0).map((answerer) => answerer.close())));

function expiry(
  timeoutMs: number,
  atMostMs = 60_000,
): { readonly expired: Promise<number>; readonly cancel: () => void } {
  const startedAt = performance.now();
  let cancel: () => void = () => undefined;
  const expired = new Promise<number>((resolve) => {
    cancel = startAwakeTimer({ timeoutMs, atMostMs, expire: () => resolve(performance.now() - startedAt) });
  });
  return { expired, cancel: () => cancel() };
}

describe('a timeout that counts the time in which we listen', () => {
  it('ends at its length on a process that is not held up', async () => {
    const tookMs = await expiry(80).expired;
    expect(tookMs).toBeGreaterThanOrEqual(79);
  });

  it('is not over after one stall that is longer than itself', async () => {
    const { expired } = expiry(80);
    stallMs(200);
    // Seven of its eight slices are still to come.
    expect(await expired).toBeGreaterThanOrEqual(260);
  });

  it('gives a starved process the answer that a plain timer of the same length takes for none', async () => {
    const answerer = await openAnswerer(150);
    answerers.push(answerer);
    const feed = starve(40);
    const answered = answerer.ask().then(() => 'answered');
    const plain = new Promise((resolve) => setTimeout(resolve, 80, 'no answer'));
    const { expired, cancel } = expiry(80);
    const patient = Promise.race([answered, expired.then(() => 'no answer')]);
    expect([await Promise.race([answered, plain]), await patient]).toEqual(['no answer', 'answered']);
    cancel();
    feed();
  });

  it('ends by the wall clock where we hardly run at all', async () => {
    const feed = starve(40);
    expect(await expiry(400, 100).expired).toBeLessThan(400);
    feed();
  });

  it('never ends once it is cancelled, also in its last slice', async () => {
    let expired = 0;
    const cancel = startAwakeTimer({ timeoutMs: 8, atMostMs: 1_000, expire: () => void (expired += 1) });
    cancel();
    await expiry(40).expired;
    expect(expired).toBe(0);
  });
});
