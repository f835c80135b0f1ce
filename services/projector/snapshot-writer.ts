import type { OrderSnapshots, SnapshotTier, SnapshotWrite } from '../../infra/order-snapshots/port.ts';
import { summaryBody } from '../../projections/order-summary/body.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import type { OrderId } from '../../schemas/ids.ts';
import type { CommitListener } from './projector.ts';

export type SnapshotObserver = {
  /** Writes that a newer snapshot refused. */
  readonly onRefused?: (count: number) => void;
};

/**
 * Puts the orders of each committed batch into the snapshots: the only one that may keep them for long. In process, it
 * hears the projector of order-summary; what was in an in-process cache is dropped at each start, since another
 * process may have moved the view meanwhile.
 */
export function openSnapshotWriter(
  snapshots: OrderSnapshots,
  { onRefused }: SnapshotObserver = {},
): CommitListener<OrderSummary> {
  return {
    started: () => snapshots.writerRestarted(),
    committed: async (documents) => {
      const writes = documents.flatMap(({ tenantId, document }) =>
        document === null ? [] : [toWrite(tenantId, document)],
      );
      const refused = await snapshots.put(writes);
      if (refused > 0) onRefused?.(refused);
    },
  };
}

function toWrite(tenantId: SnapshotWrite['tenantId'], summary: OrderSummary): SnapshotWrite {
  const { version, updatedAt: eventTime } = summary;
  const snapshot = { version, eventTime, body: summaryBody(summary) };
  return { tenantId, orderId: summary.orderId as OrderId, snapshot, tier: tierOf(summary) };
}

export function tierOf({ status }: Pick<OrderSummary, 'status'>): Exclude<SnapshotTier, 'fill'> {
  if (status === 'placed') return 'unpaid';
  return status === 'paid' || status === 'shipped' ? 'in-progress' : 'fulfilled';
}
