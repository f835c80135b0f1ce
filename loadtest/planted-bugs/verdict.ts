import type { PlantedBug } from './bugs.ts';
import type { TestRun } from './test-run.ts';

/**
 * `caught`: the named test ran and failed. `survived`: it passed, or did not run to its end, or its file could not
 * be loaded: then the patch breaks more than it plants, and proves nothing of the test. `not-planted`: the patch does
 * not apply any more.
 */
export type Verdict = {
  readonly outcome: 'caught' | 'survived' | 'not-planted';
  readonly bug: PlantedBug;
  /** The first line of the failed assertion, or what else happened. */
  readonly why: string;
};

export function verdictOn(bug: PlantedBug, run: TestRun): Verdict {
  const survived = (why: string): Verdict => ({ outcome: 'survived', bug, why });
  if (run.timedOut) return survived('the tests did not end in time');
  const tests = run.files.get(bug.caughtBy.file);
  if (tests === undefined || tests.size === 0) return survived(`${bug.caughtBy.file} could not be loaded`);
  const end = tests.get(bug.caughtBy.test);
  if (end === undefined) return survived('there is no such test');
  if (end.status !== 'failed') return survived(`the test ${end.status === 'passed' ? 'passed' : 'was skipped'}`);
  return { outcome: 'caught', bug, why: end.why };
}

/** What must be mended before anything can be planted: named tests that do not pass on the sources as they are. */
export function brokenBefore(bugs: readonly PlantedBug[], run: TestRun): readonly string[] {
  if (run.timedOut) return ['the named tests did not end in time'];
  return bugs.flatMap(({ name, caughtBy }) => {
    const end = run.files.get(caughtBy.file)?.get(caughtBy.test);
    if (end?.status === 'passed') return [];
    const what = end === undefined ? 'is not there' : `${end.status} ${end.why}`.trim();
    return [`${name}: ${caughtBy.file} > ${caughtBy.test}: ${what}`];
  });
}
