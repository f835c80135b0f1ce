import { createHash, randomUUID } from 'node:crypto';

import type { Append } from '../../../infra/event-store/port.ts';
import { newEventId, orderIdOf, orderStream } from '../../../schemas/ids.ts';
import type { CommandId, EventId, OrderId, TenantId } from '../../../schemas/ids.ts';
import type { OrderPlacedData } from '../../../schemas/generated/events.ts';

/** What differs from one placement to the next; kept apart, so that thousands of them are small in memory. */
export type Placement = {
  readonly orderId: OrderId;
  readonly commandId: CommandId;
  readonly commandHash: string;
  readonly eventId: EventId;
};

const tenantId = 'default' as TenantId;

export function newPlacements(count: number): readonly Placement[] {
  return Array.from({ length: count }, () => {
    const commandId = randomUUID() as CommandId;
    const commandHash = createHash('sha256').update(commandId).digest('hex');
    return { orderId: orderIdOf(tenantId, commandId), commandId, commandHash, eventId: newEventId() };
  });
}

/** @param withReference the shop gives its own number, and the event claims it */
export function appendOf(placement: Placement, withReference = false): Append {
  const { orderId, commandId, commandHash, eventId } = placement;
  const reference = withReference ? `shop-${commandId}` : null;
  const data = orderPlaced(orderId, reference);
  return {
    stream: orderStream(orderId),
    tenantId,
    expected: 'none',
    commandId,
    commandHash,
    origin: 'live',
    correlationId: commandId,
    causationId: null,
    ...(reference === null ? {} : { claim: reference }),
    events: [{ eventId, type: 'OrderPlaced', schemaVersion: 1, occurredAt: undefined, data }],
  };
}

function orderPlaced(orderId: OrderId, reference: string | null): OrderPlacedData {
  return {
    orderId,
    reference,
    customerId: `customer-${orderId.slice(0, 8)}`,
    currency: 'EUR',
    lines: [
      { lineId: '1', sku: 'SKU-1042', quantity: 2, unitPrice: 1999, tax: 0, name: null },
      { lineId: '2', sku: 'SKU-2077', quantity: 1, unitPrice: 4550, tax: 0, name: null },
    ],
    totals: { subtotal: 8548, discount: 0, shipping: 499, tax: 0, total: 9047 },
    payments: [{ paymentId: '1', method: 'card', amount: 9047 }],
    metadata: {},
    sealed: null,
  };
}
