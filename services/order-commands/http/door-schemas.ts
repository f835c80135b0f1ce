import { Type, type TSchema } from 'typebox';
import type { OrderDoorCommand } from '../../../schemas/commands.ts';

/**
 * The commands of our own services, as the door for other processes takes them. What a gateway called its facts is text
 * of any length: a fact is never refused, on any door.
 */
export const orderDoorCommands: readonly TSchema[] = Object.entries(fieldsByType()).map(([type, fields]) =>
  Type.Object(
    { type: Type.Literal(type), orderId: Type.String({ format: 'uuid' }), ...fields },
    { additionalProperties: false },
  ),
);

type Command<Name> = Extract<OrderDoorCommand, { readonly type: Name }>;
/** Every command, every field: what a command gains is missing here until it is written down. */
type FieldsByType = {
  readonly [Name in OrderDoorCommand['type']]: {
    readonly [Field in keyof Omit<Required<Command<Name>>, 'type' | 'orderId'>]: TSchema;
  };
};

function fieldsByType(): FieldsByType {
  const text = Type.String();
  const integer = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
  const occurredAt = Type.Optional(text);
  const money = { amount: integer, currency: text };
  const payment = { paymentId: text, providerId: text };
  const paymentFact = { ...payment, ...money, occurredAt };
  const shipmentFact = { shipmentId: text, providerId: text, occurredAt };
  return {
    AmendOrder: { tenantId: text, amendment: Type.Unsafe({ $ref: 'AmendOrder#' }) },
    CancelOrder: { reason: text },
    ExpireOrder: {},
    BeginDispatch: {},
    RequestRefund: { refundId: text, paymentId: text, amount: integer, reason: text },
    RecordPaymentAuthorized: paymentFact,
    RecordPaymentCaptured: paymentFact,
    RecordPaymentVoided: paymentFact,
    RecordPaymentRefunded: { ...paymentFact, refundId: Type.Unsafe({ type: ['string', 'null'] }) },
    RecordPaymentFailed: { ...payment, code: text },
    RecordRefundFailed: { ...payment, refundId: text, code: text },
    RecordPaymentOutcomeUnknown: { ...payment, operation: Type.Enum(['authorize', 'capture', 'void', 'refund']) },
    RecordShipmentBooked: {
      ...shipmentFact,
      carrier: text,
      trackingNumber: Type.Unsafe({ type: ['string', 'null'] }),
      lines: Type.Array(Type.Object({ lineId: text, quantity: integer }, { additionalProperties: false })),
    },
    RecordShipmentCancelled: shipmentFact,
    RecordShipmentDispatched: shipmentFact,
    RecordShipmentDelivered: shipmentFact,
    RecordShipmentFailed: { ...shipmentFact, code: text },
  };
}
