import type { Metrics } from '../../infra/metrics/open.ts';
import type { QueryObserver } from './get-order.ts';

/** Counts which store answered each order that was read, and which one failed to. */
export function readMetrics(metrics: Pick<Metrics, 'count'>): QueryObserver {
  for (const source of ['snapshot', 'view', 'fold']) metrics.count('order_reads_total', source, 0);
  for (const source of ['snapshot', 'view', 'store']) metrics.count('order_read_fallbacks_total', source, 0);
  return {
    onRead: (source) => metrics.count('order_reads_total', source),
    onSnapshotRead: (result) => metrics.count('snapshot_reads_total', result),
    onFallback: (from) => metrics.count('order_read_fallbacks_total', from),
  };
}
