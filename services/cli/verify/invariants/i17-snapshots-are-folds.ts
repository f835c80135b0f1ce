import type { StoredSnapshot } from '../../../../infra/order-snapshots/port.ts';
import { summaryBody } from '../../../../projections/order-summary/body.ts';
import { orderSummary } from '../../../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../../../projections/order-summary/summary.ts';
import { foldDocument } from '../../../../projections/projection.ts';
import type { RecordedEvent } from '../../../../schemas/envelope.ts';
import { orderStream } from '../../../../schemas/ids.ts';
import { noViolations, type Invariant, type VerifyInput } from '../invariant.ts';
import { withSnapshots } from '../with-snapshots.ts';

/** Orders whose streams are read at once: they share statements. */
const readsAtOnce = 64;

/**
 * A write that an older one overtook, or that a newer one should have refused, shows as a body that is not the fold at
 * its version, or as a version that the store never had. That a snapshot is absent, or behind, is no violation here.
 */
export const snapshotsAreFolds: Invariant = {
  id: 'I17',
  statement: 'Each snapshot is the fold of its order at the version that it names, which the store has.',
  check: (input) => ({
    finish: () =>
      withSnapshots(input, async (snapshots) => {
        const violations = noViolations();
        let checked = 0;
        let parked = 0;
        for await (const batch of batchesOf(snapshots)) {
          input.signal.throwIfAborted();
          const problems = await Promise.all(batch.map((stored) => problemOf(input, stored)));
          for (const problem of problems) if (problem !== null) violations.add(problem);
          checked += batch.length;
          parked += batch.filter(({ snapshot }) => snapshot.parked).length;
        }
        return { checked, violations, ...(parked === 0 ? {} : { remark: `${parked} snapshots say parked` }) };
      }),
  }),
};

async function* batchesOf(snapshots: AsyncIterable<StoredSnapshot>): AsyncIterable<readonly StoredSnapshot[]> {
  let batch: StoredSnapshot[] = [];
  for await (const stored of snapshots) {
    batch.push(stored);
    if (batch.length < readsAtOnce) continue;
    yield batch;
    batch = [];
  }
  yield batch;
}

async function problemOf(
  { store }: VerifyInput,
  { tenantId, orderId, snapshot }: StoredSnapshot,
): Promise<string | null> {
  const { version, body, eventTime } = snapshot;
  const events = (await store.readStream({ stream: orderStream(orderId), limit: version })).slice(0, version);
  const order = `the snapshot of order ${orderId} of ${tenantId}`;
  if (events.length < version) return `${order} is at version ${version}, the store at ${events.length}`;
  const summary = events[0]?.tenantId === tenantId ? folded(orderId, events) : null;
  if (summary === null) return `${order} is of no order of that tenant`;
  if (summary.updatedAt !== eventTime) return `${order} names another time than its version ${version}`;
  return body.equals(Buffer.from(summaryBody(summary))) ? null : `${order} is not the fold at its version ${version}`;
}

/** null also where an event cannot be folded: no snapshot can be of that version. */
function folded(key: string, events: readonly RecordedEvent[]): OrderSummary | null {
  try {
    return foldDocument(orderSummary, events, { key, document: null });
  } catch {
    return null;
  }
}
