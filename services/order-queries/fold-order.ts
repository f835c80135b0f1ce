import type { EventStore } from '../../infra/event-store/port.ts';
import type { Document } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import { foldDocument, type Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { orderStream, type OrderId, type TenantId } from '../../schemas/ids.ts';

/** One read of a stream; the port's greatest. */
const pageMax = 10_000;

type OrderOfTenant = { readonly tenantId: TenantId; readonly orderId: OrderId };

/**
 * The order as the store's stream says, folded on from `start`. Another tenant's order is none: null. Where an event
 * cannot be folded, the order as it was before it, and that it stopped there.
 */
export async function foldOrder(
  store: Pick<EventStore, 'readStream'>,
  { tenantId, orderId, start }: OrderOfTenant & { readonly start: OrderSummary | null },
): Promise<{ readonly summary: OrderSummary | null; readonly stopped: boolean }> {
  const fromRevision = start?.version ?? 0;
  const folded = await foldOrderInto(store, orderSummary, { tenantId, orderId, fromRevision, start });
  return { summary: folded.document, stopped: folded.stopped };
}

type FoldOn<D extends Document> = OrderOfTenant & { readonly fromRevision?: number; readonly start: D | null };

/** The same for any view that has one document per order. */
export async function foldOrderInto<D extends Document>(
  store: Pick<EventStore, 'readStream'>,
  projection: Projection<D>,
  { tenantId, orderId, fromRevision = 0, start }: FoldOn<D>,
): Promise<{ readonly document: D | null; readonly stopped: boolean }> {
  const events = await readOrderEvents(store, { tenantId, orderId, fromRevision });
  let document = start;
  for (const event of events) {
    try {
      document = foldDocument(projection, [event], { key: orderId, document });
    } catch {
      // The projector meets the same event, parks the order and tells.
      return { document, stopped: true };
    }
  }
  return { document, stopped: false };
}

/** The order exactly at a version; null where it never was at it. */
export async function foldOrderAt(
  store: Pick<EventStore, 'readStream'>,
  { tenantId, orderId, version }: OrderOfTenant & { readonly version: number },
): Promise<OrderSummary | null> {
  const events = await readOrderEvents(store, { tenantId, orderId, fromRevision: 0, untilRevision: version - 1 });
  const summary = foldDocument(orderSummary, events, { key: orderId, document: null });
  return summary?.version === version ? summary : null;
}

/** Oldest first; none where the order is another tenant's. */
export async function readOrderEvents(
  store: Pick<EventStore, 'readStream'>,
  wanted: OrderOfTenant & { readonly fromRevision: number; readonly untilRevision?: number },
): Promise<readonly RecordedEvent[]> {
  const { tenantId, orderId, fromRevision, untilRevision = Number.MAX_SAFE_INTEGER } = wanted;
  const stream = orderStream(orderId);
  const events: RecordedEvent[] = [];
  for (;;) {
    const next = fromRevision + events.length;
    if (next > untilRevision) return events;
    const limit = Math.min(pageMax, untilRevision - next + 1);
    const page = await store.readStream({ stream, fromRevision: next, limit });
    if (page.some((event) => event.tenantId !== tenantId)) return [];
    events.push(...page);
    if (page.length < limit) return events;
  }
}
