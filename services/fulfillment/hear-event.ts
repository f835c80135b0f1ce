import type { Transactor } from '../../infra/event-store/transact.ts';
import { isOperationalFailure } from '../../infra/failures.ts';
import { isPoison } from '../../infra/poison.ts';
import type { Recorded, RecordedEvent } from '../../schemas/envelope.ts';
import { derivedCommandId, fulfillmentStream, type OrderId } from '../../schemas/ids.ts';
import type { OrderAmendedData, OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import type { SagaKey } from './call-step.ts';
import type { NoteOrderAmended, NoteOrderSignal, SagaCommand, StartFulfillment } from './commands.ts';
import type { KnownSaga } from './driver.ts';
import type { SagaState } from './saga-state.ts';
import { tellSaga } from './tell-saga.ts';

export type Hearing = {
  readonly transactor: Transactor<SagaState, SagaCommand>;
  /** How long a payment of this method may be missing. */
  readonly unpaidExpiryMs: (method: string) => number;
};

export type Heard = { readonly key: SagaKey; readonly known: KnownSaga };

/**
 * Tells the saga of an order what an event of the order means for it; heard again, it changes nothing.
 * @returns null where it means nothing
 * @throws OperationalFailure of the transactor; what `cannotBeHeard` for an event that cannot be understood
 */
export async function hearEvent({ transactor, unpaidExpiryMs }: Hearing, event: RecordedEvent): Promise<Heard | null> {
  const command = commandOf(event as Recorded<OrderEvent>, unpaidExpiryMs);
  if (command === null) return null;
  const { tenantId, eventId, correlationId } = event;
  const key = { tenantId, orderId: (event as Recorded<OrderEvent>).data.orderId as OrderId };
  const name = `feed/${eventId}`;
  return { key, known: await tellSaga(transactor, { key, name, command, correlationId, causationId: eventId }) };
}

/** Whether the same event would fail again for ever: a bug of ours, or more than a store takes. An outage never is. */
export function cannotBeHeard(error: unknown): boolean {
  return isPoison(error) || isOperationalFailure(error, 'EVENT_TOO_LARGE');
}

/** What an order's event means for its saga; null: nothing. Imported history has no saga. */
export function commandOf(
  event: Recorded<OrderEvent>,
  unpaidExpiryMs: (method: string) => number,
): StartFulfillment | NoteOrderSignal | NoteOrderAmended | null {
  if (event.origin === 'backfill') return null;
  switch (event.type) {
    case 'OrderPlaced':
      return start(event.data, unpaidExpiryMs);
    case 'OrderAmended':
      return { type: 'NoteOrderAmended', orderVersion: event.revision + 1, ...goodsOf(event.data) };
    case 'OrderCancelled':
      return { type: 'NoteOrderSignal', signal: 'cancelled' };
    case 'OrderExpired':
      return { type: 'NoteOrderSignal', signal: 'expired' };
    case 'PaymentFailed':
      return isOwn(event)
        ? null
        : { type: 'NoteOrderSignal', signal: 'payment_failed', paymentId: event.data.paymentId };
    case 'PaymentCaptured': {
      if (isOwn(event)) return null;
      const { paymentId, providerId, amount } = event.data;
      return { type: 'NoteOrderSignal', signal: 'paid', paymentId, captureId: providerId, amount };
    }
    default:
      // The saga itself brought about the rest.
      return null;
  }
}

/**
 * Whether the saga itself told the order so, in the first attempt of a step: it knows. This only saves a question, for
 * its decide drops what it knows.
 */
function isOwn(event: Recorded<Extract<OrderEvent, { readonly type: 'PaymentCaptured' | 'PaymentFailed' }>>): boolean {
  const { orderId, paymentId } = event.data;
  const stream = fulfillmentStream(orderId as OrderId);
  const name = event.type === 'PaymentCaptured' ? 'capture/run/1/captured' : 'authorize/run/1/failed';
  return derivedCommandId(stream, `${name}/${paymentId}`) === event.commandId;
}

function start(data: OrderPlacedData, unpaidExpiryMs: (method: string) => number): StartFulfillment {
  const { orderId, customerId, currency, payments } = data;
  return {
    type: 'StartFulfillment',
    orderId: orderId as OrderId,
    customerId,
    currency,
    ...goodsOf(data),
    unpaidExpiryMs: expiryMs(payments, unpaidExpiryMs),
  };
}

/** What a saga needs to know of what is sold and paid. */
function goodsOf({ totals, lines, payments }: OrderPlacedData | OrderAmendedData) {
  return {
    total: totals.total,
    lines: lines.map(({ lineId, sku, quantity }) => ({ lineId, sku, quantity })),
    payments: payments.map(({ paymentId, method, amount }) => ({ paymentId, method, amount })),
  };
}

/** The slowest method decides. An order without payments has nothing to wait for, and never gets as far as to expire. */
function expiryMs(payments: OrderPlacedData['payments'], expiryOf: (method: string) => number): number {
  const methods = payments.length > 0 ? payments.map(({ method }) => method) : ['card'];
  return Math.max(...methods.map(expiryOf));
}
