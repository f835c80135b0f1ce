import { Type } from 'typebox';

/** JSON Schemas of what readers get, for the OpenAPI document. Answers are text made by projections; nothing validates them. */
const amount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: 'Minor units.' });
const text = Type.String();
const textOrNull = Type.Union([Type.String(), Type.Null()]);
const time = Type.String({ format: 'date-time' });
const timeOrNull = Type.Union([time, Type.Null()]);
const lineQuantity = Type.Object({ lineId: text, quantity: Type.Integer({ minimum: 1 }) });

const payment = Type.Object({
  status: Type.Enum([
    'pending',
    'authorized',
    'captured',
    'failed',
    'unknown',
    'voided',
    'partially_refunded',
    'refunded',
  ]),
  authorized: amount,
  captured: amount,
  refunded: amount,
  refundPending: amount,
  items: Type.Array(
    Type.Object({
      paymentId: text,
      method: text,
      amount,
      status: text,
      authorized: amount,
      captured: amount,
      refunded: amount,
    }),
  ),
  refunds: Type.Array(Type.Object({ refundId: text, paymentId: text, amount, status: text })),
});

const fulfillment = Type.Object({
  status: Type.Enum(['unfulfilled', 'booked', 'partially_shipped', 'shipped', 'delivered', 'failed', 'returned']),
  shipments: Type.Array(
    Type.Object({
      shipmentId: text,
      status: Type.Enum(['booked', 'dispatched', 'delivered', 'failed', 'cancelled']),
      carrier: textOrNull,
      trackingNumber: textOrNull,
      lines: Type.Array(lineQuantity),
      shippedAt: timeOrNull,
      deliveredAt: timeOrNull,
    }),
  ),
  returns: Type.Array(Type.Object({ returnId: text, status: text, lines: Type.Array(lineQuantity) })),
});

export const asOfShape = Type.Object(
  {
    version: Type.Integer({ minimum: 1 }),
    eventTime: time,
    lagMs: Type.Integer({ minimum: 0 }),
    projection: text,
    parked: Type.Boolean(),
  },
  { description: 'How fresh the answer is; absent in a replayed answer.' },
);

const address = Type.Union(
  [
    Type.Object({
      name: Type.Optional(text),
      line1: Type.Optional(text),
      line2: Type.Optional(text),
      city: Type.Optional(text),
      region: Type.Optional(text),
      postalCode: Type.Optional(text),
      country: Type.Optional(text),
    }),
    Type.Null(),
  ],
  { description: 'Only by include=address. null: there was none, or its subject was forgotten.' },
);

export const orderSummaryShape = Type.Object(
  {
    orderId: Type.String({ format: 'uuid' }),
    reference: textOrNull,
    tenantId: text,
    customerId: text,
    status: Type.Enum(['placed', 'paid', 'shipped', 'delivered', 'cancelled', 'returned']),
    cancelReason: textOrNull,
    payment,
    fulfillment,
    currency: Type.String({ format: 'iso-4217' }),
    totals: Type.Object({ subtotal: amount, discount: amount, shipping: amount, tax: amount, total: amount }),
    lines: Type.Array(
      Type.Object({
        lineId: text,
        sku: text,
        quantity: Type.Integer({ minimum: 1 }),
        unitPrice: amount,
        tax: amount,
        name: textOrNull,
      }),
    ),
    metadata: Type.Record(Type.String(), Type.String()),
    placedAt: time,
    updatedAt: time,
    origin: Type.Enum(['live', 'backfill']),
    version: Type.Integer({ minimum: 1, description: 'Counts the events of the order.' }),
    shippingAddress: Type.Optional(address),
    asOf: Type.Optional(asOfShape),
  },
  {
    $id: 'OrderSummary',
    description: 'An order as readers see it. Never in it: tokens, email and, unless it is asked for, the address.',
  },
);

export const orderExample = {
  orderId: '9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55',
  reference: 'shop-1001',
  tenantId: 'default',
  customerId: 'customer-1',
  status: 'placed',
  cancelReason: null,
  payment: {
    status: 'pending',
    authorized: 0,
    captured: 0,
    refunded: 0,
    refundPending: 0,
    items: [
      {
        paymentId: '0b8e3f59-63a5-5a8a-8d25-0d7c4f0b8a11',
        method: 'card',
        amount: 4_990,
        status: 'pending',
        authorized: 0,
        captured: 0,
        refunded: 0,
      },
    ],
    refunds: [],
  },
  fulfillment: { status: 'unfulfilled', shipments: [], returns: [] },
  currency: 'EUR',
  totals: { subtotal: 4_490, discount: 0, shipping: 500, tax: 0, total: 4_990 },
  lines: [{ lineId: '1', sku: 'mug-blue', quantity: 2, unitPrice: 2_245, tax: 0, name: 'Blue mug' }],
  metadata: {},
  placedAt: '2026-11-23T10:00:00.000Z',
  updatedAt: '2026-11-23T10:00:00.000Z',
  origin: 'live',
  version: 1,
  asOf: { version: 1, eventTime: '2026-11-23T10:00:00.000Z', lagMs: 0, projection: 'order-summary@1', parked: false },
};

export const recordedEventShape = Type.Object(
  {
    position: Type.String({ description: 'Opaque; give it as `after`.' }),
    eventId: Type.String({ format: 'uuid' }),
    stream: text,
    revision: Type.Integer({ minimum: 0 }),
    type: Type.String({ description: 'Past tense; see the event schemas.' }),
    schemaVersion: Type.Integer({ minimum: 1 }),
    tenantId: text,
    recordedAt: time,
    occurredAt: timeOrNull,
    origin: Type.Enum(['live', 'backfill']),
    commandId: text,
    correlationId: text,
    causationId: textOrNull,
    data: Type.Record(Type.String(), Type.Unknown(), {
      description: 'As the schema of type and version says; sealed fields stay closed.',
    }),
  },
  { $id: 'RecordedEvent', description: 'An event as the log holds it.' },
);

export const eventExample = {
  position: '3f0c1d2e.812.1',
  eventId: '019ab2c3-7d4e-7f00-8a11-5b6c7d8e9f00',
  stream: 'order-9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55',
  revision: 1,
  type: 'OrderCancelled',
  schemaVersion: 1,
  tenantId: 'default',
  recordedAt: '2026-11-23T10:00:01.000Z',
  occurredAt: '2026-11-23T10:00:01.000Z',
  origin: 'live',
  commandId: 'cancel-1',
  correlationId: '4bf92f3577b34da6a3ce929d0e0e4736',
  causationId: null,
  data: { orderId: '9f2b4c7e-4f0e-5d1a-9a63-1c2f7d1f8e55', reason: 'changed my mind' },
};
