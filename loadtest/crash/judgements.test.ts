import { describe, expect, it } from 'vitest';

import type { FeedEvent } from '../orders/read-orders.ts';
import { miscountedExpiries } from './expiries.ts';
import { holds, toFaultLines } from '../system/fault-line.ts';
import { newGate } from './gate.ts';
import { differencesOf } from '../system/import-report.ts';
import { readOptions } from './options.ts';
import { judgeVerify } from '../system/order-center.ts';
import type { FaultReport } from '../system/fault-report.ts';
import type { Scenario } from './scenario.ts';
import { problemsOfDrain } from './scenarios/term-drains.ts';

describe('a fault line', () => {
  const report: FaultReport = {
    seed: 7,
    ops: 10,
    acked: 10,
    lost: 0,
    dup: 0,
    ambiguous: 2,
    unresolved: 0,
    readyMs: 2_345,
    consistentMs: 5_000,
    facts: { kills: 1 },
    problems: [],
  };

  it('names the scenario and every figure', () => {
    const figures = 'ops=10 acked=10 lost=0 dup=0 ambiguous=2 unresolved=0 t_ready=2.3s t_consistent=5.0s kills=1';
    expect(toFaultLines('node-killed', report)).toEqual([`FAULT node-killed seed=7 ${figures} result=ok`]);
    expect(holds(report)).toBe(true);
  });

  it('is followed by what does not hold, but for a flood of it', () => {
    const problems = Array.from({ length: 12 }, (_, index) => `problem ${index}`);
    const lines = toFaultLines('node-killed', { ...report, consistentMs: null, problems });
    expect(lines[0]).toMatch(/ t_consistent=never .*result=failed$/);
    expect(lines).toHaveLength(12);
    expect(lines.at(-1)).toBe('  … and 2 more');
    expect(holds({ ...report, problems })).toBe(false);
  });
});

describe('an expiry', () => {
  const event = (type: string, kind = 'unpaid-expiry'): FeedEvent => ({
    type,
    stream: 'any',
    commandId: 'any',
    data: { orderId: 'a', kind },
  });

  it('is right where the timer fired and the order expired once', () => {
    const retry = event('TimerFired', 'retry');
    expect(miscountedExpiries(['a'], [retry, event('TimerFired'), event('OrderExpired'), retry])).toEqual([]);
  });

  it('is wrong where either is missing or came twice', () => {
    const events = [event('TimerFired'), event('TimerFired')];
    expect(miscountedExpiries(['a'], events)).toEqual(['order a has 2 TimerFired', 'order a has 0 OrderExpired']);
  });
});

describe('a drain', () => {
  const exit = { code: 0, signal: null, tookMs: 900 };

  it('is clean where clients met nothing but refused connections', () => {
    expect(problemsOfDrain({ errors: new Map([['ECONNREFUSED', 5]]) }, exit)).toEqual([]);
  });

  it('is not where one was cut, it took too long, or it ended with another code', () => {
    const errors = new Map(Object.entries({ ECONNREFUSED: 5, ECONNRESET: 1 }));
    expect(problemsOfDrain({ errors }, { code: null, signal: 'SIGKILL', tookMs: 10_001 })).toEqual([
      '1 clients met ECONNRESET while the server drained',
      'SIGTERM ended it with SIGKILL, not 0',
      'it took 10001 ms to end',
    ]);
  });

  it('proves nothing where no client came after the end', () => {
    expect(problemsOfDrain({ errors: new Map() }, exit)).toHaveLength(1);
  });
});

describe('a run of verify', () => {
  const required = ['I1'];

  it('holds where each invariant does and the required ones were checked', () => {
    const lines = [
      { id: 'I1', violations: 0 },
      { id: 'I16', notChecked: 'no reads' },
    ];
    expect(judgeVerify(lines, { code: 0, required, stderr: '' })).toEqual([]);
  });

  it('does not where one is violated, was required and not checked, or the exit code says so', () => {
    const violated = judgeVerify([{ id: 'I1', violations: 2 }], { code: 1, required, stderr: 'I1   line 3\nI2 x' });
    expect(violated).toEqual(['verify: I1 violations=2\nI1   line 3']);
    expect(judgeVerify([{ id: 'I1', notChecked: 'no ledger' }], { code: 0, required, stderr: '' })).toHaveLength(1);
    expect(judgeVerify([{ id: 'I1', violations: 0 }], { code: 1, required, stderr: '' })).toHaveLength(1);
  });
});

describe('an import', () => {
  const printed = { imported: 2, alreadyThere: 1, refused: {}, differences: [] };
  const exit = { code: 0, stdout: JSON.stringify(printed), stderr: '' };

  it('is whole where nothing was refused and nothing differs', () => {
    expect(differencesOf(exit)).toEqual({ orders: 3, imported: 2, alreadyThere: 1, refused: 0, problems: [] });
  });

  it('is not where an order was refused, a figure differs, or it broke off', () => {
    const broken = { ...printed, refused: { x1: '422' }, differences: ['x2: status'] };
    expect(differencesOf({ ...exit, code: 1, stdout: JSON.stringify(broken) }).problems).toHaveLength(3);
    expect(differencesOf({ code: 1, stdout: '', stderr: 'gone' }).problems).toEqual(['the import ended with 1: gone']);
  });
});

describe('the command line', () => {
  const scenario: Scenario = { id: 'one', title: '', run: () => Promise.resolve({ skipped: '' }) };

  it('chooses all scenarios, or those that it names', () => {
    const known = [scenario, { ...scenario, id: 'two' }];
    expect(readOptions([], known, {})).toMatchObject({ scenarios: known, orders: null, olistDir: null, keep: false });
    const all = ['two', '--orders', '200', '--seed', '5', '--keep'];
    const wanted = { scenarios: [known[1]], orders: 200, seed: 5, olistDir: '/olist', keep: true };
    expect(readOptions(all, known, { OLIST_DIR: '/olist' })).toEqual(wanted);
  });

  it('refuses what it does not know', () => {
    expect(() => readOptions(['three'], [scenario])).toThrow('no scenario three; there are one');
    expect(() => readOptions(['--orders', '5'], [scenario])).toThrow('--orders is a whole number from 50 to 20000');
  });
});

it('a gate lets through as many as were let go, and all once it is open', async () => {
  const gate = newGate();
  let admitted = 0;
  const waiting = Promise.all(Array.from({ length: 5 }, () => gate.admit().then(() => (admitted += 1))));
  gate.release(1.5);
  await Promise.resolve();
  expect(admitted).toBe(1);
  gate.release(0.5);
  await Promise.resolve();
  expect(admitted).toBe(2);
  gate.open();
  await waiting;
  expect(admitted).toBe(5);
});
