import type { EventStore } from '../../infra/event-store/port.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { toText, type OrderText } from './answers.ts';
import { foldOrderAt } from './fold-order.ts';

/** The order exactly at a version, for replays of first answers; null: it never was at it. `asOf.lagMs` is 0. */
export type SummaryAt = (tenantId: TenantId, orderId: OrderId, version: number) => Promise<OrderText | null>;

/** Needs the events alone: who answers commands depends on no view. */
export function openSummaryAt(store: Pick<EventStore, 'readStream'>): SummaryAt {
  return async (tenantId, orderId, version) => {
    const summary = await foldOrderAt(store, { tenantId, orderId, version });
    return summary === null ? null : toText(summary);
  };
}
