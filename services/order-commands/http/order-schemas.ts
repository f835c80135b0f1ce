import { Type } from 'typebox';
import type { TProperties, TSchema } from 'typebox';
import { paymentsMax, metadataMax } from '../placement.ts';

const closed = { additionalProperties: false };
const amount = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: 'Minor units of the currency.',
});
const visible = (maxLength: number) => Type.String({ minLength: 1, maxLength, pattern: '^[\\x21-\\x7e]+$' });
const short = (maxLength = 200) => Type.String({ minLength: 1, maxLength });
const time = Type.String({ format: 'date-time', description: 'RFC 3339 with an offset.' });
/** A fact whose time nobody knows. Written so that ajv reports one fault, not one for each alternative. */
const timeOrNull = Type.Unsafe<string | null>({ type: ['string', 'null'], format: 'date-time' });

/** An event of that many lines is still far below the store's limit. */
const linesMax = 500;

const line = Type.Object(
  {
    sku: visible(128),
    quantity: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    unitPrice: amount,
    tax: Type.Optional(amount),
    name: Type.Optional(short()),
  },
  closed,
);

const amendedLine = Type.Object(
  {
    lineId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 20,
        description: 'Of a line of the order, which is kept; left out: a new line.',
      }),
    ),
    ...line.properties,
  },
  closed,
);

const country = Type.String({ pattern: '^[A-Z]{2}$', description: 'ISO 3166-1 alpha-2.' });
const address = Type.Object(
  {
    name: short(),
    line1: short(),
    line2: Type.Optional(short()),
    city: short(),
    region: Type.Optional(short()),
    postalCode: short(20),
    country,
  },
  closed,
);

const method = Type.String({ pattern: '^[a-z][a-z0-9_]{0,31}$', description: 'card, voucher, bank_slip, …' });
const payment = Type.Object(
  {
    method,
    amount: Type.Optional(amount),
    token: Type.Optional(Type.String({ minLength: 1, maxLength: 500, description: 'Never stored in an event.' })),
  },
  closed,
);

/** What a placement and a backfilled order have in common. */
const common = {
  reference: Type.Optional(visible(128)),
  customerId: visible(128),
  currency: Type.String({ format: 'iso-4217', description: 'ISO 4217.' }),
  shippingFee: Type.Optional(amount),
  discount: Type.Optional(amount),
  email: Type.Optional(Type.String({ format: 'email', maxLength: 254 })),
  metadata: Type.Optional(
    Type.Unsafe<Record<string, string>>({
      type: 'object',
      maxProperties: metadataMax,
      additionalProperties: { type: 'string', maxLength: 500 },
    }),
  ),
  occurredAt: Type.Optional(time),
} satisfies TProperties;

const placeOrderFields = {
  ...common,
  lines: Type.Array(line, { minItems: 1, maxItems: linesMax }),
  shippingAddress: Type.Optional(address),
  payments: Type.Array(payment, { maxItems: paymentsMax }),
};

export const placeOrderSchema = Type.Object(placeOrderFields, {
  $id: 'PlaceOrder',
  ...closed,
  description: 'total = Σ quantity × unitPrice + Σ tax + shippingFee − discount, and the payments add up to it.',
});

export const batchItemSchema = Type.Object(
  { commandId: visible(255), ...placeOrderFields },
  { $id: 'BatchItem', ...closed, description: 'A placement with the command id that a header would carry.' },
);

const index = Type.Integer({ minimum: 0, maximum: paymentsMax - 1, description: 'Into payments.' });
/** Named by their kind, as OpenAPI's discriminator finds them. */
export const factSchemas = [
  factOf('paid', { payment: index }),
  factOf('refunded', { payment: index, amount }),
  factOf('shipped', {}),
  factOf('delivered', {}),
  factOf('cancelled', { reason: Type.Optional(short()) }),
];

/** `oneOf` with a tag: ajv then speaks about the meant kind only. */
const fact = Type.Unsafe({
  type: 'object',
  discriminator: { propertyName: 'kind' },
  required: ['kind'],
  oneOf: factSchemas.map(({ $id }) => ({ $ref: `${$id}#` })),
});

export const backfillOrderSchema = Type.Object(
  {
    ...common,
    lines: Type.Array(line, { maxItems: linesMax }),
    shippingAddress: Type.Optional(Type.Partial(address, closed)),
    payments: Type.Array(Type.Object({ method, amount: Type.Optional(amount) }, closed), { maxItems: paymentsMax }),
    facts: Type.Array(fact, {
      maxItems: 4 * paymentsMax,
      description: 'What happened to it, in the order it happened.',
    }),
  },
  { $id: 'BackfillOrder', ...closed, description: 'A historical order, kept as it was: sums need not match.' },
);

export const amendOrderSchema = Type.Object(
  {
    lines: Type.Optional(
      Type.Array(amendedLine, {
        minItems: 1,
        maxItems: linesMax,
        description:
          'The whole new list. A line that keeps its lineId keeps its sku; ids of dropped lines are never used again.',
      }),
    ),
    shippingFee: Type.Optional(amount),
    discount: Type.Optional(amount),
    shippingAddress: Type.Optional(address),
    payments: Type.Optional(
      Type.Array(Type.Object({ paymentId: Type.String({ format: 'uuid' }), amount }, closed), {
        minItems: 1,
        maxItems: paymentsMax,
        description: 'New amounts of payments of the order. One payment alone follows the total by itself.',
      }),
    ),
  },
  {
    $id: 'AmendOrder',
    ...closed,
    minProperties: 1,
    description:
      'At least one field; what is left out stays. An amendment that changes nothing is accepted and adds no event.',
  },
);

export const amendmentExample = {
  lines: [{ lineId: '1', sku: 'mug-blue', quantity: 2, unitPrice: 2_245, name: 'Blue mug' }],
  shippingFee: 500,
};

export const cancelOrderSchema = Type.Object({ reason: short() }, { $id: 'CancelOrder', ...closed });

export const placeOrderExample = {
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
};

export const backfillExample = {
  reference: 'old-1',
  customerId: 'customer-1',
  currency: 'BRL',
  lines: [{ sku: 'mug-blue', quantity: 1, unitPrice: 2_000 }],
  payments: [{ method: 'card', amount: 2_000 }],
  occurredAt: '2017-10-02T10:56:33-03:00',
  facts: [
    { kind: 'paid', occurredAt: '2017-10-02T11:07:15-03:00', payment: 0 },
    { kind: 'shipped', occurredAt: '2017-10-04T19:55:00-03:00' },
    { kind: 'delivered', occurredAt: null },
  ],
};

function factOf(kind: string, fields: Record<string, TSchema>): TSchema & { readonly $id: string } {
  const shape = Type.Object({ kind: Type.Literal(kind), occurredAt: timeOrNull, ...fields }, closed);
  return { ...shape, $id: kind };
}
