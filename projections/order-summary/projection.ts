import type { Recorded } from '../../schemas/envelope.ts';
import type { OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import type { Projection } from '../projection.ts';
import { evolveSummary, orderStatus } from './evolve.ts';
import type { OrderSummary } from './summary.ts';

/** One OrderSummary per order, by id and in the filtered list. */
export const orderSummary: Projection<OrderSummary> = {
  view: {
    name: 'order-summary',
    version: 1,
    columns: {
      customer_id: { type: 'text', of: ({ customerId }) => customerId },
      reference: { type: 'text', of: ({ reference }) => reference },
      status: { type: 'text', of: ({ status }) => status },
      placed_at: { type: 'timestamptz', of: ({ placedAt }) => placedAt },
      skus: { type: 'text[]', of: ({ lines }) => [...new Set(lines.map(({ sku }) => sku))] },
    },
    indexes: [['placed_at'], ['customer_id', 'placed_at'], ['reference'], ['status', 'placed_at'], ['skus']],
  },
  categories: ['order'],
  changes: (recorded) => {
    if (!recorded.stream.startsWith('order-')) return [];
    const event = recorded as Recorded<OrderEvent>;
    return [
      {
        tenantId: event.tenantId,
        key: event.data.orderId,
        update: (current) => (event.type === 'OrderPlaced' ? placed(event) : current && evolveSummary(current, event)),
      },
    ];
  },
};

type Placement = Recorded<{ readonly type: 'OrderPlaced'; readonly data: OrderPlacedData }>;

function placed({ data, ...event }: Placement): OrderSummary {
  const items = data.payments.map(({ paymentId, method, amount }) => ({
    ...{ paymentId, method, amount },
    ...({ status: 'pending', authorized: 0, captured: 0, refunded: 0 } as const),
  }));
  const nothingPaid = { authorized: 0, captured: 0, refunded: 0, refundPending: 0 };
  const summary: OrderSummary = {
    orderId: data.orderId,
    reference: data.reference,
    tenantId: event.tenantId,
    customerId: data.customerId,
    status: 'placed',
    cancelReason: null,
    payment: { status: 'pending', ...nothingPaid, items, refunds: [] },
    fulfillment: { status: 'unfulfilled', shipments: [], returns: [] },
    currency: data.currency,
    totals: data.totals,
    lines: data.lines,
    metadata: data.metadata,
    placedAt: event.occurredAt ?? event.recordedAt,
    updatedAt: event.recordedAt,
    origin: event.origin,
    version: event.revision + 1,
  };
  return { ...summary, status: orderStatus(summary) };
}
