import { unreachable } from '../../schemas/decision.ts';
import type { Recorded } from '../../schemas/envelope.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { effectiveTime } from '../effective-time.ts';
import type { Projection } from '../projection.ts';
import { noSales, unknownDay, withSold, type DailySales, type Sold } from './sales.ts';

/**
 * One document per day and currency, made of single events alone: no order has to be known to count one of its facts.
 * Many orders change the same document, so its events must come through one partition (docs/decisions/0011).
 */
export const dailySales: Projection<DailySales> = {
  view: {
    name: 'daily-sales',
    version: 1,
    columns: {
      // What has no day comes after all days, in a list of the newest first.
      day: { type: 'text', of: ({ day }) => (day === unknownDay ? '' : day) },
      currency: { type: 'text', of: ({ currency }) => currency },
    },
    indexes: [['day'], ['currency', 'day']],
  },
  categories: ['order'],
  sharedDocuments: true,
  changes: (recorded) => {
    if (!recorded.stream.startsWith('order-')) return [];
    const event = recorded as Recorded<OrderEvent>;
    const fact = soldBy(event);
    if (fact === null) return [];
    const { currency, sold } = fact;
    const day = effectiveTime(event)?.slice(0, 10) ?? unknownDay;
    return [
      {
        tenantId: event.tenantId,
        key: `${day}/${currency}`,
        update: (current) => withSold(current ?? noSales(day, currency), sold),
      },
    ];
  },
};

type Fact = { readonly currency: string; readonly sold: Sold };

/** What an event adds to its day; null: nothing. */
function soldBy(event: OrderEvent): Fact | null {
  switch (event.type) {
    case 'OrderPlaced': {
      const { currency, lines, totals } = event.data;
      const units = lines.reduce((sum, { quantity }) => sum + quantity, 0);
      return { currency, sold: { orders: 1, units, placed: totals.total } };
    }
    case 'OrderAmended': {
      const { currency, totals, previousTotal } = event.data;
      return { currency, sold: { amended: totals.total - previousTotal } };
    }
    case 'PaymentCaptured':
      return { currency: event.data.currency, sold: { captured: event.data.amount } };
    case 'PaymentRefunded':
      return { currency: event.data.currency, sold: { refunded: event.data.amount } };
    case 'OrderCancelled':
    case 'OrderExpired':
    case 'DispatchBegun':
    case 'PaymentAuthorized':
    case 'PaymentFailed':
    case 'PaymentVoided':
    case 'PaymentOutcomeUnknown':
    case 'RefundRequested':
    case 'RefundFailed':
    case 'ShipmentBooked':
    case 'ShipmentCancelled':
    case 'ShipmentDispatched':
    case 'ShipmentDelivered':
    case 'ShipmentFailed':
      return null;
    default:
      return unreachable(event);
  }
}
