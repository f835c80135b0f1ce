import type { BackfillOrder, HistoricalFact } from '../../schemas/commands.ts';
import { accept, reject, unreachable, type Decided, type Decision, type Rejection } from '../../schemas/decision.ts';
import type { OrderEvent } from '../../schemas/generated/events.ts';
import { derivedId } from '../../schemas/ids.ts';
import { isIsoTime } from '../../schemas/iso-time.ts';
import type { OrderState } from './order.ts';
import { draftOrder, placement, type OrderDraft } from './placement.ts';

type PaymentHistory = Extract<HistoricalFact, { readonly payment: number }>;
/** Events of one fact, or what is wrong with it as `<JSON pointer>: <what it may hold>`. */
type EventsOrProblem = readonly OrderEvent[] | string;

/**
 * One historical order and what happened to it, in one decision, in the given order. Facts are kept as they are: the
 * payments need not add up to the total, lines may be empty, times unknown. Of one kind there is one fact a payment
 * (paid, refunded) or an order (shipped, delivered, cancelled), and nothing is refunded that was not paid before.
 * Rejects with ORDER_ALREADY_EXISTS, INVALID_VALUE, TOTAL_MISMATCH (the total is no amount).
 */
export function backfillOrder(command: BackfillOrder, state: OrderState): Decision<OrderEvent> {
  if (state.status !== 'Unplaced') return reject('ORDER_ALREADY_EXISTS', command.orderId);
  const draft = draftOrder(command.orderId, command.order);
  if ('code' in draft) return reject(draft.code, draft.detail);
  const history = historyOf(command, draft);
  if ('code' in history) return reject(history.code, history.detail);
  // Without a time of its own the order was placed nobody knows when; certainly not as it was recorded.
  return accept({ occurredAt: null, ...placement(command, draft) }, ...history);
}

function historyOf({ facts }: BackfillOrder, draft: OrderDraft): readonly Decided<OrderEvent>[] | Rejection {
  const told = new Set<string>();
  const history: Decided<OrderEvent>[] = [];
  for (const [index, fact] of facts.entries()) {
    const { occurredAt } = fact;
    const events = told.has(keyOf(fact)) ? `/kind: ${fact.kind} twice` : eventsOf(fact, draft, told);
    if (typeof events === 'string') return { code: 'INVALID_VALUE', detail: `/facts/${index}${events}` };
    if (occurredAt !== null && !isIsoTime(occurredAt)) {
      return { code: 'INVALID_VALUE', detail: `/facts/${index}/occurredAt: an RFC 3339 time, or null` };
    }
    told.add(keyOf(fact));
    history.push(...events.map((event) => ({ event, occurredAt })));
  }
  return history;
}

function keyOf(fact: HistoricalFact): string {
  return 'payment' in fact ? `${fact.kind} ${fact.payment}` : fact.kind;
}

function eventsOf(fact: HistoricalFact, draft: OrderDraft, told: ReadonlySet<string>): EventsOrProblem {
  switch (fact.kind) {
    case 'paid':
    case 'refunded':
      return paymentEvents(fact, draft, told);
    case 'shipped': {
      const lines = draft.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
      return [{ type: 'ShipmentDispatched', data: { ...shipmentOf(draft), lines } }];
    }
    case 'delivered':
      return [{ type: 'ShipmentDelivered', data: shipmentOf(draft) }];
    case 'cancelled':
      return [{ type: 'OrderCancelled', data: { orderId: draft.orderId, reason: fact.reason ?? 'cancelled' } }];
    default:
      return unreachable(fact);
  }
}

function paymentEvents(fact: PaymentHistory, draft: OrderDraft, told: ReadonlySet<string>): EventsOrProblem {
  const payment = draft.payments[fact.payment];
  if (payment === undefined) return '/payment: not an index of payments';
  const { paymentId, amount } = payment;
  const { orderId, currency } = draft;
  const data = { orderId, paymentId, providerId: `backfill-${paymentId}`, amount, currency };
  if (fact.kind === 'paid') {
    return [
      { type: 'PaymentAuthorized', data },
      { type: 'PaymentCaptured', data },
    ];
  }
  const captured = told.has(`paid ${fact.payment}`) ? amount : 0;
  if (!Number.isSafeInteger(fact.amount) || fact.amount < 0 || fact.amount > captured) {
    return `/amount: an integer from 0 to ${captured}, what was paid before`;
  }
  return [{ type: 'PaymentRefunded', data: { ...data, amount: fact.amount, refundId: null } }];
}

function shipmentOf({ orderId }: OrderDraft) {
  const shipmentId = derivedId(orderId, 'shipment/1');
  return { orderId, shipmentId, providerId: `backfill-${shipmentId}` };
}
