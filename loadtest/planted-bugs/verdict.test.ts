import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { plantedBugs, type PlantedBug } from './bugs.ts';
import { readOptions } from './options.ts';
import type { TestEnd, TestRun } from './test-run.ts';
import { brokenBefore, verdictOn } from './verdict.ts';

const bug: PlantedBug = {
  name: 'a-bug',
  sentence: 'It does wrong.',
  caughtBy: { file: 'a.test.ts', test: 'a part > does right' },
};

function ran(tests: Readonly<Record<string, TestEnd['status']>>): TestRun {
  const ends = Object.entries(tests).map(([title, status]) => [title, { status, why: '1 is not 2' }] as const);
  return { files: new Map([[bug.caughtBy.file, new Map(ends)]]), timedOut: false };
}

describe('a planted bug', () => {
  it('is caught where its named test ran and failed, whatever else failed with it', () => {
    const run = ran({ 'a part > does right': 'failed', 'another > test': 'failed' });
    expect(verdictOn(bug, run)).toEqual({ outcome: 'caught', bug, why: '1 is not 2' });
  });

  it.each<readonly [string, TestRun]>([
    ['the named test passes, though others fail', ran({ 'a part > does right': 'passed', other: 'failed' })],
    ['the named test is skipped', ran({ 'a part > does right': 'skipped' })],
    ['there is no test of that name', ran({ other: 'failed' })],
    ['the file of the test cannot be loaded', ran({})],
    ['the file of the test did not run', { files: new Map(), timedOut: false }],
    ['the tests did not end in time', { files: new Map(), timedOut: true }],
  ])('survives where %s', (_, run) => {
    expect(verdictOn(bug, run).outcome).toBe('survived');
  });

  it('is planted only where its named test passes without it', () => {
    expect(brokenBefore([bug], ran({ 'a part > does right': 'passed' }))).toEqual([]);
    expect(brokenBefore([bug], ran({ 'a part > does right': 'failed' }))).toHaveLength(1);
    expect(brokenBefore([bug], ran({ other: 'passed' }))).toHaveLength(1);
  });
});

describe('the list of bugs', () => {
  it('has one patch for each, and each patch is of one', () => {
    const patches = readdirSync(join(import.meta.dirname, 'patches')).map((file) => file.replace(/\.patch$/, ''));
    expect(patches.toSorted()).toEqual(plantedBugs.map(({ name }) => name).toSorted());
  });
});

describe('the arguments', () => {
  it('choose all bugs, or those that are named', () => {
    expect(readOptions([], plantedBugs)).toEqual({ bugs: plantedBugs, allTests: false, json: false });
    expect(readOptions(['a-bug', '--json', '--all-tests'], [bug])).toEqual({ bugs: [bug], allTests: true, json: true });
  });

  it('are refused where they name what is not there', () => {
    expect(() => readOptions(['no-such-bug'], [bug])).toThrow('no bug no-such-bug; there are a-bug');
    expect(() => readOptions(['--fast'], [bug])).toThrow();
  });
});
