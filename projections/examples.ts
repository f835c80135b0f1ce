import fc from 'fast-check';
import type { Append, EventStore } from '../infra/event-store/port.ts';
import type { AnyEvent, Origin, RecordedEvent } from '../schemas/envelope.ts';
import type { OrderPlacedData } from '../schemas/generated/events.ts';
import {
  categoryOf,
  fulfillmentStream,
  newEventId,
  orderIdOf,
  orderStream,
  type CommandId,
  type OrderId,
  type StreamName,
  type TenantId,
} from '../schemas/ids.ts';

/** Valid inputs for the suites of views, projector and queries. */
export const tenant = 'shop' as TenantId;
export const otherTenant = 'rival' as TenantId;

export function anOrderId(name: string, tenantId = tenant): OrderId {
  return orderIdOf(tenantId, name as CommandId);
}

/** Two lines, total 2,500, one card payment. */
export function placement(orderId: OrderId, changes: Partial<OrderPlacedData> = {}): AnyEvent {
  const data: OrderPlacedData = {
    orderId,
    reference: null,
    customerId: 'customer-1',
    currency: 'EUR',
    lines: [
      { lineId: 'l1', sku: 'mug', quantity: 2, unitPrice: 1_000, tax: 0, name: 'Mug' },
      { lineId: 'l2', sku: 'tea "green"', quantity: 1, unitPrice: 500, tax: 0, name: null },
    ],
    totals: { subtotal: 2_500, discount: 0, shipping: 0, tax: 0, total: 2_500 },
    payments: [{ paymentId: 'p1', method: 'card', amount: 2_500 }],
    metadata: {},
    sealed: { keyId: 'key-1', box: 'c2VhbGVk' },
    ...changes,
  };
  return { type: 'OrderPlaced', data };
}

/** Three mugs at a discount, and no tea any more. */
export function amendment(orderId: OrderId): AnyEvent {
  const lines = [{ lineId: 'l1', sku: 'mug', quantity: 3, unitPrice: 1_000, tax: 0, name: 'Mug' }];
  const totals = { subtotal: 3_000, discount: 200, shipping: 0, tax: 0, total: 2_800 };
  const payments = [{ paymentId: 'p1', method: 'card', amount: 2_800 }];
  return {
    type: 'OrderAmended',
    data: { orderId, currency: 'EUR', lines, totals, previousTotal: 2_500, payments, sealed: null },
  };
}

export function paymentFact(
  type: 'PaymentAuthorized' | 'PaymentCaptured' | 'PaymentVoided',
  orderId: OrderId,
  { paymentId = 'p1', amount = 2_500 } = {},
): AnyEvent {
  return { type, data: { orderId, paymentId, providerId: `${type}-${paymentId}`, amount, currency: 'EUR' } };
}

export const allLines = [
  { lineId: 'l1', quantity: 2 },
  { lineId: 'l2', quantity: 1 },
];

export function booked(orderId: OrderId, shipmentId = 's1', lines = allLines): AnyEvent {
  const carrier = { providerId: `b-${shipmentId}`, carrier: 'post', trackingNumber: 'T1' };
  return { type: 'ShipmentBooked', data: { orderId, shipmentId, ...carrier, lines } };
}

export function dispatched(orderId: OrderId, shipmentId = 's1', lines = allLines): AnyEvent {
  return { type: 'ShipmentDispatched', data: { orderId, shipmentId, providerId: `d-${shipmentId}`, lines } };
}

export function delivered(orderId: OrderId, shipmentId = 's1'): AnyEvent {
  return { type: 'ShipmentDelivered', data: { orderId, shipmentId, providerId: `e-${shipmentId}` } };
}

type RecordOptions = {
  readonly tenantId?: TenantId;
  readonly stream?: StreamName;
  readonly origin?: Origin;
  readonly occurredAt?: string | null;
  readonly recordedAt?: string;
};

/** Events as if recorded, a second apart, in one stream from revision 0. */
export function recorded(events: readonly AnyEvent[], options: RecordOptions = {}): readonly RecordedEvent[] {
  return events.map((event, revision) => {
    const recordedAt = options.recordedAt ?? new Date(Date.UTC(2026, 0, 1, 12, 0, revision)).toISOString();
    return {
      position: `00000000.0.${revision}`,
      eventId: newEventId(),
      stream: options.stream ?? streamOf(event),
      revision,
      schemaVersion: 1,
      tenantId: options.tenantId ?? tenant,
      recordedAt,
      occurredAt: options.occurredAt === undefined ? recordedAt : options.occurredAt,
      origin: options.origin ?? 'live',
      commandId: `command-${revision}`,
      correlationId: 'correlation',
      causationId: null,
      ...event,
    } as RecordedEvent;
  });
}

const sagaTypes = /^(Step|Timer|Fulfillment|Compensation|OrderSignal|OrderAmendment)/;

function streamOf(event: AnyEvent): StreamName {
  if (!('orderId' in event.data)) throw new Error('an event of an order is needed');
  const orderId = event.data.orderId as OrderId;
  return sagaTypes.test(event.type) ? fulfillmentStream(orderId) : orderStream(orderId);
}

let commands = 0;

/** Appends events one by one, each to its stream at the stream's head. */
export async function appendAll(
  store: EventStore,
  events: readonly AnyEvent[],
  { tenantId = tenant, origin = 'live', occurredAt }: RecordOptions = {},
): Promise<readonly RecordedEvent[]> {
  const appended: RecordedEvent[] = [];
  for (const event of events) {
    const stream = streamOf(event);
    const head = (await store.readStream({ stream })).at(-1)?.revision;
    commands += 1;
    const append: Append = {
      ...{ stream, tenantId, origin, expected: head ?? 'none', commandHash: 'hash' },
      ...{ commandId: `command-${commands}` as CommandId, correlationId: 'correlation', causationId: null },
      events: [{ eventId: newEventId(), type: event.type, schemaVersion: 1, occurredAt, data: event.data }],
    };
    const result = await store.append(append);
    if (result.outcome !== 'appended') throw new Error(`append was ${result.outcome} on ${categoryOf(stream)}`);
    appended.push(...result.events);
  }
  return appended;
}

const amounts = fc.integer({ min: 0, max: 2_500 });
const shipmentIds = fc.constantFrom('s1', 's2');

function orderEventOf(orderId: OrderId): fc.Arbitrary<AnyEvent> {
  const ids = fc.constantFrom('r1', 'r2');
  const provider = { providerId: 'x' };
  return fc.oneof(
    fc.constant(placement(orderId)),
    fc
      .tuple(fc.constantFrom('PaymentAuthorized', 'PaymentCaptured', 'PaymentVoided'), amounts)
      .map(([type, amount]) => paymentFact(type, orderId, { amount })),
    fc.constantFrom<AnyEvent>(
      { type: 'DispatchBegun', data: { orderId } },
      amendment(orderId),
      { type: 'OrderCancelled', data: { orderId, reason: 'changed my mind' } },
      { type: 'OrderExpired', data: { orderId, reason: 'payment_expired' } },
      { type: 'PaymentFailed', data: { orderId, paymentId: 'p1', ...provider, code: 'declined' } },
      { type: 'PaymentOutcomeUnknown', data: { orderId, paymentId: 'p1', ...provider, operation: 'capture' } },
    ),
    fc.tuple(ids, amounts).map(([refundId, amount]): AnyEvent => {
      const data = { orderId, refundId, paymentId: 'p1', amount, currency: 'EUR', reason: 'broken' };
      return { type: 'RefundRequested', data };
    }),
    fc.tuple(ids, amounts).map(([refundId, amount]): AnyEvent => {
      return {
        type: 'PaymentRefunded',
        data: { orderId, refundId, paymentId: 'p1', ...provider, amount, currency: 'EUR' },
      };
    }),
    ids.map((refundId): AnyEvent => {
      return { type: 'RefundFailed', data: { orderId, refundId, paymentId: 'p1', ...provider, code: 'no' } };
    }),
    shipmentIds.map((shipmentId) => booked(orderId, shipmentId)),
    shipmentIds.map((shipmentId) => dispatched(orderId, shipmentId)),
    shipmentIds.map((shipmentId) => delivered(orderId, shipmentId)),
    fc
      .tuple(fc.constantFrom('ShipmentCancelled', 'ShipmentFailed'), shipmentIds)
      .map(([type, shipmentId]) => ({ type, data: { orderId, shipmentId, ...provider, code: 'lost' } }) as AnyEvent),
  );
}

function sagaEventOf(orderId: OrderId): fc.Arbitrary<AnyEvent> {
  const timerIds = fc.constantFrom(`${orderId}-t1`, `${orderId}-t2`);
  const step = { orderId, step: 'capture-payment', direction: 'run', attempt: 1 } as const;
  const started = { orderId, customerId: 'customer-1', currency: 'EUR', total: 2_500, lines: [], payments: [] };
  return fc.oneof(
    fc.constantFrom<AnyEvent>(
      { type: 'FulfillmentStarted', data: started },
      { type: 'FulfillmentCompleted', data: { orderId } },
      { type: 'FulfillmentCompensated', data: { orderId, reason: 'cancelled' } },
      { type: 'CompensationBegun', data: { orderId, reason: 'cancelled' } },
      { type: 'FulfillmentQuarantined', data: { orderId, step: 'ship', code: 'INTERNAL', detail: 'bug' } },
      { type: 'OrderSignalNoted', data: { orderId, signal: 'paid' } },
      { type: 'OrderAmendmentNoted', data: { orderId, orderVersion: 2, total: 1_000, lines: [], payments: [] } },
      { type: 'StepAttempted', data: { ...step, effectKey: 'k' } },
      { type: 'StepSucceeded', data: { ...step, result: {} } },
      { type: 'StepFailed', data: { ...step, code: 'DEPENDENCY_TIMEOUT', final: false } },
    ),
    fc.tuple(timerIds, fc.integer({ min: 0, max: 10_000 })).map(([timerId, delayMs]): AnyEvent => {
      return { type: 'TimerScheduled', data: { orderId, timerId, kind: 'unpaid-expiry', delayMs } };
    }),
    timerIds.map((timerId): AnyEvent => ({ type: 'TimerCancelled', data: { orderId, timerId } })),
    timerIds.map((timerId): AnyEvent => ({ type: 'TimerFired', data: { orderId, timerId, kind: 'unpaid-expiry' } })),
  );
}

/** Any order of any events of three orders and their sagas, also such as no decider would write: projections are total. */
export const anyHistory: fc.Arbitrary<readonly AnyEvent[]> = fc.array(
  fc
    .constantFrom('one', 'two', 'three')
    .map((name) => anOrderId(name))
    .chain((orderId) => fc.oneof(fc.constant(placement(orderId)), orderEventOf(orderId), sagaEventOf(orderId))),
  { minLength: 1, maxLength: 60 },
);
