import { snapshotWriter, type StoredSnapshot } from '../../../../infra/order-snapshots/port.ts';
import { summaryBody } from '../../../../projections/order-summary/body.ts';
import { orderSummary } from '../../../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../../../projections/order-summary/summary.ts';
import { foldDocument } from '../../../../projections/projection.ts';
import type { Position } from '../../../../schemas/envelope.ts';
import { orderStream } from '../../../../schemas/ids.ts';
import { noViolations, type Invariant, type VerifyInput } from '../invariant.ts';
import { snapshotsToCheck } from '../snapshots-up.ts';
import type { ViewFold } from '../view-fold.ts';

/**
 * A snapshot may be older than its order, for it is a cache, but never something else than the order was at its version.
 * One that the writer wrote may not be older than the writer's checkpoint either: the checkpoint would have passed an
 * event that the cache never took. A reader's fill may: it ends within seconds.
 */
export const snapshotsFollowTheLog: Invariant = {
  id: 'I35',
  statement:
    'Each snapshot is the fold of its order at its version, and the writer passes no event that it did not write.',
  check: (input, folds) => {
    const fold = folds.all().find(({ projection }) => projection.view.name === orderSummary.view.name);
    return {
      finish: async () => {
        const snapshots = await snapshotsToCheck(input.snapshots);
        if ('notChecked' in snapshots) return snapshots;
        const violations = noViolations();
        // Before any snapshot is read: what the writer does meanwhile only makes them newer.
        const checkpoint = await input.views.loadCheckpoint(snapshotWriter, 'log');
        let checked = 0;
        for await (const snapshot of snapshots.scan()) {
          input.signal.throwIfAborted();
          checked += 1;
          const fault = await faultOf({ input, fold, checkpoint }, snapshot);
          if (fault !== null) violations.add(`the snapshot of order ${snapshot.orderId} ${fault}`);
        }
        return { checked, violations };
      },
    };
  },
};

type Sources = {
  readonly input: Pick<VerifyInput, 'store'>;
  readonly fold: ViewFold | undefined;
  readonly checkpoint: Position | null;
};

async function faultOf(sources: Sources, stored: StoredSnapshot): Promise<string | null> {
  const { version, body } = stored.snapshot;
  const summary = await summaryAt(sources, stored);
  if (summary === null) return `is at version ${version}, which the log does not have`;
  if (!body.equals(Buffer.from(summaryBody(summary)))) return `is not its fold at version ${version}`;
  return (await wasPassed(sources, stored)) ? `is at version ${version}, and the writer is past a later one` : null;
}

/** From the fold of the whole log where the snapshot is current, as nearly all are; else from the order's stream. */
async function summaryAt({ input, fold }: Sources, { tenantId, orderId, snapshot }: StoredSnapshot) {
  const folded = (fold?.get({ tenantId, key: orderId }) ?? null) as OrderSummary | null;
  if (folded?.version === snapshot.version) return folded;
  const events = await input.store.readStream({ stream: orderStream(orderId), limit: snapshot.version });
  if (events.length < snapshot.version) return null;
  return foldDocument(orderSummary, events, { key: orderId, document: null });
}

async function wasPassed(
  { input, checkpoint }: Sources,
  { orderId, snapshot, tier }: StoredSnapshot,
): Promise<boolean> {
  // A parked order stays behind until its repair, and says so.
  if (checkpoint === null || tier === 'fill' || snapshot.parked) return false;
  const slice = { stream: orderStream(orderId), fromRevision: snapshot.version, limit: 1 };
  const [later] = await input.store.readStream(slice);
  return later !== undefined && input.store.comparePositions(later.position, checkpoint) <= 0;
}
