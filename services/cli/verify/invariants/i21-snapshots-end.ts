import { snapshotLifeMs } from '../../../../infra/order-snapshots/lives.ts';
import { noViolations, type Invariant } from '../invariant.ts';
import { snapshotsToCheck } from '../snapshots-up.ts';

export const snapshotsEnd: Invariant = {
  id: 'I21',
  statement: 'Every snapshot ends, and lives no longer than its tier.',
  check: (input) => ({
    finish: async () => {
      const snapshots = await snapshotsToCheck(input.snapshots);
      if ('notChecked' in snapshots) return snapshots;
      const violations = noViolations();
      let checked = 0;
      for await (const { orderId, tier, leftMs } of snapshots.scan()) {
        input.signal.throwIfAborted();
        checked += 1;
        if (leftMs === null) violations.add(`the snapshot of order ${orderId} never ends`);
        else if (leftMs > snapshotLifeMs[tier])
          violations.add(`the ${tier} snapshot of ${orderId} has ${leftMs} ms left`);
      }
      return { checked, violations };
    },
  }),
};
