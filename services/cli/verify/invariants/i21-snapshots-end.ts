import { snapshotLifeMs } from '../../../../infra/order-snapshots/lives.ts';
import type { StoredSnapshot } from '../../../../infra/order-snapshots/port.ts';
import { tierOf } from '../../../projector/snapshot-fold.ts';
import { asRecord } from '../../api.ts';
import { noViolations, type Invariant } from '../invariant.ts';
import { withSnapshots } from '../with-snapshots.ts';

export const snapshotsEnd: Invariant = {
  id: 'I21',
  statement: "Every snapshot ends, within the life of its order's tier; a reader's fill within 30 s.",
  check: (input) => ({
    finish: () =>
      withSnapshots(input, async (snapshots) => {
        const violations = noViolations();
        let checked = 0;
        for await (const stored of snapshots) {
          input.signal.throwIfAborted();
          checked += 1;
          const problem = problemOf(stored);
          if (problem !== null)
            violations.add(`the snapshot of order ${stored.orderId} of ${stored.tenantId} ${problem}`);
        }
        return { checked, violations };
      }),
  }),
};

function problemOf({ snapshot, tier, leftMs }: StoredSnapshot): string | null {
  if (leftMs === null) return 'never ends';
  const lifeMs = snapshotLifeMs[tier];
  if (leftMs > lifeMs) return `lives another ${leftMs} ms, and ${tier} at most ${lifeMs}`;
  const { status } = asRecord(JSON.parse(snapshot.body.toString('utf8')));
  const wanted = tierOf({ status: status as Parameters<typeof tierOf>[0]['status'] });
  return tier === 'fill' || tier === wanted ? null : `is ${tier}, and its order ${wanted}`;
}
