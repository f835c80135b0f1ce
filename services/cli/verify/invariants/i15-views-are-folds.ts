import { compareView } from '../compare-view.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

export const viewsAreFolds: Invariant = {
  id: 'I15',
  statement: 'Each view is the fold of the events up to its checkpoint.',
  check: (input, folds) => {
    const views = folds.all();
    return {
      finish: async () => {
        if (views.every((fold) => fold.last() === null)) return { notChecked: 'the log is empty' };
        const violations = noViolations();
        const remarks: string[] = [];
        let checked = 0;
        for (const fold of views) {
          const compared = await compareView(input, fold);
          checked += compared.checked;
          remarks.push(...compared.remarks);
          const { name } = fold.projection.view;
          for (const { tenantId, key } of compared.differing)
            violations.add(`${name} of ${tenantId} ${key} is not its fold`);
        }
        return { checked, violations, ...(remarks.length > 0 ? { remark: remarks.join('; ') } : {}) };
      },
    };
  },
};
