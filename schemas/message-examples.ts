import type { CommandMessage, CommandOutcome } from './generated/messages.ts';
import { exampleOrderId } from './examples.ts';

type PayloadOf<Type extends CommandMessage['type']> = Extract<CommandMessage, { readonly type: Type }>['payload'];

/** One typed example of each command's payload: a new command does not compile until it has one. */
export const examplePayloads: { readonly [Type in CommandMessage['type']]: PayloadOf<Type> } = {
  PlaceOrder: {
    reference: 'shop-1001',
    customerId: 'customer-1',
    currency: 'EUR',
    lines: [{ sku: 'mug-blue', quantity: 2, unitPrice: 2_245, name: 'Blue mug' }],
    shippingFee: 500,
    shippingAddress: {
      name: 'Ada Lovelace',
      line1: '1 Example Street',
      city: 'Berlin',
      postalCode: '10115',
      country: 'DE',
    },
    email: 'ada@example.org',
    payments: [{ method: 'card', token: 'tok_visa' }],
    metadata: { channel: 'web' },
  },
  BackfillOrder: {
    reference: 'old-1',
    customerId: 'customer-1',
    currency: 'BRL',
    lines: [{ sku: 'mug-blue', quantity: 1, unitPrice: 2_000 }],
    shippingAddress: { city: 'sao paulo', region: 'SP' },
    payments: [{ method: 'card', amount: 2_000 }],
    occurredAt: '2017-10-02T10:56:33-03:00',
    facts: [
      { kind: 'paid', occurredAt: '2017-10-02T11:07:15-03:00', payment: 0 },
      { kind: 'shipped', occurredAt: '2017-10-04T19:55:00-03:00' },
      { kind: 'delivered', occurredAt: null },
    ],
  },
  AmendOrder: {
    lines: [{ lineId: '1', sku: 'mug-blue', quantity: 3, unitPrice: 2_245 }],
    shippingFee: 0,
    payments: [{ paymentId: '0b8e3f59-63a5-5a8a-8d25-0d7c4f0b8a11', amount: 6_735 }],
  },
  CancelOrder: { reason: 'changed my mind' },
};

export const exampleOutcomes: Readonly<Record<CommandOutcome['outcome'], CommandOutcome>> = {
  accepted: { commandId: 'checkout-1', outcome: 'accepted', orderId: exampleOrderId, version: 1 },
  rejected: {
    commandId: 'cancel-1',
    outcome: 'rejected',
    code: 'ORDER_ALREADY_SHIPPED',
    orderId: exampleOrderId,
    version: 7,
  },
};
