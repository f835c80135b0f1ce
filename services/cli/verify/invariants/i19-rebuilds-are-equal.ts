import { noViolations, type Invariant, type VerifyInput, type ViolationList } from '../invariant.ts';
import { eventsUpTo } from '../log.ts';
import { openViewFold, type ViewFold } from '../view-fold.ts';

/**
 * Folds the log a second time, from a second read, up to the same places: a projection that asks the clock, keeps
 * something between events or changes what it is given would build other documents. That what followed the log piece by
 * piece is the same as well is I15.
 */
export const rebuildsAreEqual: Invariant = {
  id: 'I19',
  statement: 'Two rebuilds of a view are equal, byte by byte.',
  check: (input, folds) => {
    const first = folds.all();
    return {
      finish: async () => {
        const violations = noViolations();
        const second = first.map(({ projection, parked }) => openViewFold(projection, parked()));
        try {
          await foldAgain(input, first, second);
          const checked = second.map((fold, index) => compareFolds(first[index] ?? fold, fold, violations));
          return { checked: checked.reduce((sum, count) => sum + count, 0), violations };
        } finally {
          for (const fold of second) fold.close();
        }
      },
    };
  },
};

/** One read of the log for all views, to the furthest of them. */
async function foldAgain(input: VerifyInput, first: readonly ViewFold[], second: readonly ViewFold[]): Promise<void> {
  const { comparePositions } = input.store;
  const ends = first.map((fold) => fold.last());
  const furthest = ends.reduce((a, b) => (a === null || (b !== null && comparePositions(b, a) > 0) ? b : a), null);
  const isFolding = ends.map((end) => end !== null);
  for await (const event of eventsUpTo(input, { after: null, to: furthest })) {
    second.forEach((fold, index) => {
      if (isFolding[index] !== true) return;
      fold.apply(event);
      isFolding[index] = event.position !== ends[index];
    });
  }
}

function compareFolds(first: ViewFold, second: ViewFold, violations: ViolationList): number {
  const { name } = first.projection.view;
  for (const key of first.keys()) {
    if (first.digest(key) === second.digest(key)) continue;
    violations.add(`${name} of ${key.tenantId} ${key.key} is built anew as another document`);
  }
  for (const key of second.keys()) {
    if (!first.has(key)) violations.add(`${name} of ${key.tenantId} ${key.key} is there only when it is built anew`);
  }
  return second.size();
}
