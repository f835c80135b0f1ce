import { projections } from '../../../projections/all.ts';
import type { Finding, Invariant, VerifyInput } from './invariant.ts';
import { eventsOf } from './log.ts';
import { openViewFolds } from './view-fold.ts';

export type Verdict = { readonly id: string; readonly statement: string; readonly finding: Finding };

const eventsBetweenReports = 20_000;

/**
 * Runs the checks in one pass over the log as it is now. Nothing to check is not a pass: it is said so.
 * @param report told now and then how far it is
 */
export async function verify(
  invariants: readonly Invariant[],
  input: VerifyInput,
  report: (progress: string) => void = () => undefined,
): Promise<readonly Verdict[]> {
  const folds = openViewFolds(projections);
  try {
    const checks = await Promise.all(
      invariants.map(async (invariant) => ({ invariant, check: await invariant.check(input, folds) })),
    );
    let events = 0;
    for await (const event of eventsOf(input, null)) {
      events += 1;
      if (events % eventsBetweenReports === 0) report(`${events} events read`);
      folds.apply(event);
      for (const { check } of checks) check.see?.(event);
    }
    const verdicts: Verdict[] = [];
    for (const { invariant, check } of checks) {
      const { id, statement } = invariant;
      report(`checking ${id}`);
      verdicts.push({ id, statement, finding: notEmpty(await check.finish()) });
    }
    return verdicts;
  } finally {
    folds.close();
  }
}

function notEmpty(finding: Finding): Finding {
  if ('notChecked' in finding || finding.checked > 0) return finding;
  return { notChecked: 'there is nothing of its kind yet' };
}
