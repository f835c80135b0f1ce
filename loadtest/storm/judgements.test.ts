import { describe, expect, it } from 'vitest';

import type { Placement } from '../orders/order-bodies.ts';
import { seededRandom } from '../orders/seeded-random.ts';
import { whileStruck } from './judge.ts';
import { mostEvents, mostSeconds, namesBehind } from './lag.ts';
import { openLoop } from './open-loop.ts';
import { readOptions } from './options.ts';
import { halfAndMost, percentile } from './percentiles.ts';
import { judgeRss, slopeOf } from './rss.ts';
import { shuffled, strikeInTurn } from './strikes.ts';

describe('the command line', () => {
  it('runs 100,000 orders and measures the rate, unless it is told otherwise', () => {
    const usual = { orders: 100_000, rate: null, strikeEveryMs: 10_000, instances: 1, cardShare: 0.02, keep: false };
    expect(readOptions([])).toMatchObject(usual);
    const told = ['--orders', '3000', '--seed', '7', '--rate', '90', '--strike-every-ms', '5000', '--instances', '2'];
    const wanted = { orders: 3_000, seed: 7, rate: 90, strikeEveryMs: 5_000, instances: 2, cardShare: 0.5, keep: true };
    expect(readOptions([...told, '--card-share', '0.5', '--keep'])).toEqual(wanted);
  });

  it('refuses what it does not know', () => {
    expect(() => readOptions(['--orders', 'many'])).toThrow('--orders is a whole number from 500 to 1000000, not many');
    expect(() => readOptions(['--card-share', '2'])).toThrow('--card-share is a number from 0 to 1');
  });
});

describe('an open loop', () => {
  const placement = (index: number) => ({ commandId: `c${index}` }) as Placement;

  it('counts the wait of a placement that could not start in time, as late and as latency', async () => {
    const loop = openLoop(10);
    await loop.admit(placement(0));
    const busyUntil = performance.now() + 300;
    while (performance.now() < busyUntil);
    // Due after 100 ms.
    await loop.admit(placement(1));
    loop.acked(placement(1));
    expect(loop.late()).toBe(1);
    expect(loop.latencies[0]?.ms).toBeGreaterThanOrEqual(190);
  });

  it('starts no placement before its time', async () => {
    const loop = openLoop(20);
    const began = performance.now();
    await Promise.all([0, 1, 2, 3].map((index) => loop.admit(placement(index))));
    expect(performance.now() - began).toBeGreaterThanOrEqual(148);
    expect(loop.late()).toBe(0);
  });
});

describe('memory', () => {
  const life = (kBPerSecond: number, seconds = 200) => ({
    role: 'projector',
    pid: 1,
    samples: Array.from({ length: seconds }, (_, at) => ({ atSeconds: at, kB: 100_000 + kBPerSecond * at })),
  });

  it('is flat where it grows by little over the second half of a life', () => {
    expect(judgeRss([life(0), life(100)])).toMatchObject({ judged: 2, problems: [] });
    expect(slopeOf(life(100).samples)).toBeCloseTo(100);
  });

  it('is not where it grows, and short lives are not judged', () => {
    const { problems, judged } = judgeRss([life(1_000), life(1_000, 30)]);
    expect(judged).toBe(1);
    expect(problems).toEqual(['the memory of projector 1 grew by 39.8 % over the second half of its life']);
  });
});

describe('strikes', () => {
  it('come in turn, each of a round once, and are healed before the next', async () => {
    const names = ['a', 'b', 'c'];
    const struck: string[] = [];
    const blows = names.map((name) => ({ name, strike: () => Promise.resolve(void struck.push(name)) }));
    const goesOn = (): boolean => struck.length < 6;
    const ignore = (): void => undefined;
    const random = seededRandom(1);
    const strikes = await strikeInTurn({ blows, random, everyMs: 1, goesOn, onBlow: ignore, onStrike: ignore });
    expect(strikes.map(({ name }) => name)).toEqual(struck);
    expect([struck.slice(0, 3).sort(), struck.slice(3).sort()]).toEqual([names, names]);
    expect(strikes.every(({ at, healedAt }, index) => at <= healedAt && healedAt <= (strikes[index + 1]?.at ?? Infinity))).toBe(true); // prettier-ignore
  });

  it('come in the same order of the same seed', () => {
    const items = [1, 2, 3, 4, 5, 6];
    expect(shuffled(items, seededRandom(3))).toEqual(shuffled(items, seededRandom(3)));
    expect(shuffled(items, seededRandom(3)).sort()).toEqual(items);
  });

  it('part the latencies of their time from the others', () => {
    const latencies = [5, 10, 20, 25].map((at) => ({ at, ms: at }));
    expect(whileStruck(latencies, [{ name: 'a', at: 10, healedAt: 20 }])).toEqual([10, 20]);
  });
});

it('takes the percentiles by nearest rank', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect([0.5, 0.99, 1].map((share) => percentile(values, share))).toEqual([50, 99, 100]);
  expect(halfAndMost(values)).toBe('50ms/99ms');
  expect(percentile([], 0.5)).toBeNaN();
});

it('reads how far followers are behind, and takes one that does not tell for endless', () => {
  const seconds = new Map([
    ['{projection="a"}', 0.1],
    ['{projection="b"}', 2],
  ]);
  const events = new Map([['{projection="b"}', 7]]);
  expect([mostSeconds({ seconds, events }), mostEvents({ seconds, events })]).toEqual([2, Infinity]);
  expect(mostEvents({ seconds, events: new Map([...seconds].map(([name]) => [name, 0])) })).toBe(0);
  expect(namesBehind({ seconds, events })).toBe('b 7');
});
