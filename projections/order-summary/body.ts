import type { OrderSummary } from './summary.ts';

/**
 * The JSON text of a summary, made once and sent many times. Members come in the contract's order whatever store the
 * document came from (jsonb sorts them), so that one version has one text.
 */
export function summaryBody(summary: OrderSummary): string {
  const { payment, fulfillment, totals } = summary;
  const ordered: OrderSummary = {
    ...pick(summary, 'orderId', 'reference', 'tenantId', 'customerId', 'status', 'cancelReason'),
    payment: {
      ...pick(payment, 'status', 'authorized', 'captured', 'refunded', 'refundPending'),
      items: payment.items.map((item) =>
        pick(item, 'paymentId', 'method', 'amount', 'status', 'authorized', 'captured', 'refunded'),
      ),
      refunds: payment.refunds.map((refund) => pick(refund, 'refundId', 'paymentId', 'amount', 'status')),
    },
    fulfillment: {
      status: fulfillment.status,
      shipments: fulfillment.shipments.map(({ lines, ...shipment }) => ({
        ...pick(shipment, 'shipmentId', 'status', 'carrier', 'trackingNumber'),
        lines: lines.map((line) => pick(line, 'lineId', 'quantity')),
        ...pick(shipment, 'shippedAt', 'deliveredAt'),
      })),
      returns: fulfillment.returns.map(({ lines, ...each }) => ({
        ...pick(each, 'returnId', 'status'),
        lines: lines.map((line) => pick(line, 'lineId', 'quantity')),
      })),
    },
    currency: summary.currency,
    totals: pick(totals, 'subtotal', 'discount', 'shipping', 'tax', 'total'),
    lines: summary.lines.map((line) => pick(line, 'lineId', 'sku', 'quantity', 'unitPrice', 'tax', 'name')),
    metadata: Object.fromEntries(Object.entries(summary.metadata).sort(([a], [b]) => (a < b ? -1 : 1))),
    ...pick(summary, 'placedAt', 'updatedAt', 'origin', 'version'),
  };
  return JSON.stringify(ordered);
}

function pick<T extends object, K extends keyof T>(from: T, ...keys: readonly K[]): Pick<T, K> {
  const picked: Partial<Pick<T, K>> = {};
  for (const key of keys) picked[key] = from[key];
  return picked as Pick<T, K>;
}
