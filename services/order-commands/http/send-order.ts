import { isOperationalFailure } from '../../../infra/failures.ts';
import type { HttpReply } from '../../../infra/http-server/app.ts';
import { sendProblem, toProblem, rejectionParts } from '../../../infra/http-server/problem.ts';
import type { ProblemParts } from '../../../infra/http-server/problem.ts';
import type { RecordedEvent } from '../../../schemas/envelope.ts';
import type { ErrorCode } from '../../../schemas/error-codes.ts';
import type { OrderId, TenantId } from '../../../schemas/ids.ts';
import { summaryBody } from '../../../projections/order-summary/body.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../../projections/order-summary/summary.ts';
import { foldDocument } from '../../../projections/projection.ts';
import type { OrderCommandAnswer } from '../open.ts';

/**
 * The order at exactly this version, folded from the store whatever the views have seen: `body` is its JSON without
 * `asOf`. null: it never was at it.
 */
export type SummaryAt = (tenantId: TenantId, orderId: OrderId, version: number) => Promise<OrderAtVersion | null>;

export type OrderAtVersion = { readonly body: string; readonly asOf: object };

/** What came of a command, ready to send: by itself or as an item of a batch. */
export type OrderResult =
  | {
      readonly kind: 'order';
      readonly orderId: OrderId;
      readonly version: number;
      readonly replayed: boolean;
      readonly json: string;
    }
  | { readonly kind: 'problem'; readonly code: ErrorCode; readonly parts: ProblemParts; readonly replayed: boolean };

/** For the API's description. */
export const unshown =
  'Where a bug keeps it from being shown, the body is orderId, tenantId, version and an asOf that says parked: it is stored all the same.';

/** How an answer shows its order. */
export type Showing = {
  readonly summaryAt: SummaryAt;
  /** Told where an order that a command changed for good cannot be shown: a bug of ours, that the caller must not pay for. */
  readonly onUnshown?: ((orderId: OrderId, error: unknown) => void) | undefined;
};

/**
 * An answer's body. Where the command began its order, the summary is the fold of the events just appended, so that
 * placing an order reads nothing; else, and for a replay, it is folded from the store at the answer's version. What a
 * dry run would append is in no store, and is folded on the order before it.
 *
 * What was accepted is durable, so a summary that cannot be folded changes neither status nor version: the body then
 * holds what is known without it, and says `parked` (docs/decisions/0008).
 * @throws OperationalFailure STORE_UNAVAILABLE: the same key asks again
 */
export async function toResult(answer: OrderCommandAnswer, tenantId: TenantId, showing: Showing): Promise<OrderResult> {
  if (answer.outcome !== 'accepted') return toProblemResult(answer);
  const { orderId, version, replayed } = answer;
  const order = await shownOrder(answer, tenantId, showing);
  const json = replayed ? order.body : withAsOf(order);
  return { kind: 'order', orderId, version, replayed, json };
}

export function sendResult(reply: HttpReply, result: OrderResult, status: 200 | 201): HttpReply {
  if (result.replayed) void reply.header('idempotency-replayed', 'true');
  if (result.kind === 'problem') return sendProblem(reply, result.code, result.parts);
  if (status === 201) void reply.header('location', `/v1/orders/${result.orderId}`);
  return reply
    .code(status)
    .header('etag', `"${result.version}"`)
    .header('content-type', 'application/json; charset=utf-8')
    .send(result.json);
}

/** JSON text of one item of a batch. */
export function batchItem(commandId: string, result: OrderResult): string {
  const replayed = result.replayed ? ',"replayed":true' : '';
  const start = `{"commandId":${JSON.stringify(commandId)}${replayed}`;
  if (result.kind === 'order') return `${start},"status":201,"order":${result.json}}`;
  const problem = toProblem(result.code, result.parts);
  return `${start},"status":${problem.status},"problem":${JSON.stringify(problem)}}`;
}

/** The answer to a repeat of the command. */
export function replayOf(result: OrderResult): OrderResult {
  if (result.kind === 'problem') return { ...result, replayed: true };
  const { asOf: _, ...order } = JSON.parse(result.json) as { readonly asOf?: object };
  return { ...result, replayed: true, json: JSON.stringify(order) };
}

type Accepted = Extract<OrderCommandAnswer, { readonly outcome: 'accepted' }>;

async function shownOrder(
  answer: Accepted,
  tenantId: TenantId,
  { summaryAt, onUnshown }: Showing,
): Promise<OrderAtVersion> {
  const { orderId, version, events } = answer;
  try {
    const order = folded(orderId, events, null) ?? (await orderAfter(answer, tenantId, summaryAt));
    if (order === null) throw new Error('an accepted command has no order at its version');
    return order;
  } catch (error) {
    if (isOperationalFailure(error)) throw error;
    onUnshown?.(orderId, error);
    const eventTime = events.at(-1)?.recordedAt;
    const asOf = { version, ...(eventTime === undefined ? {} : { eventTime }), lagMs: 0, projection, parked: true };
    return { body: JSON.stringify({ orderId, tenantId, version }), asOf };
  }
}

async function orderAfter(
  { orderId, version, events, isDryRun }: Accepted,
  tenantId: TenantId,
  summaryAt: SummaryAt,
): Promise<OrderAtVersion | null> {
  if (!isDryRun) return summaryAt(tenantId, orderId, version);
  const before = await summaryAt(tenantId, orderId, version - events.length);
  if (before === null || events.length === 0) return before;
  // The body is the whole document.
  return folded(orderId, events, JSON.parse(before.body) as OrderSummary);
}

/** Straight from the truth, so it lags behind nothing. */
function folded(
  orderId: OrderId,
  events: readonly RecordedEvent[],
  before: OrderSummary | null,
): OrderAtVersion | null {
  if (before === null && events[0]?.revision !== 0) return null;
  const summary = foldDocument(orderSummary, events, { key: orderId, document: before });
  if (summary === null) return null;
  const { version, updatedAt: eventTime } = summary;
  return { body: summaryBody(summary), asOf: { version, eventTime, lagMs: 0, projection, parked: false } };
}

const projection = `${orderSummary.view.name}@${orderSummary.view.version}`;

function withAsOf({ body, asOf }: OrderAtVersion): string {
  return `${body.slice(0, -1)},"asOf":${JSON.stringify(asOf)}}`;
}

function toProblemResult(answer: Exclude<OrderCommandAnswer, { readonly outcome: 'accepted' }>): OrderResult {
  switch (answer.outcome) {
    case 'rejected': {
      const { rejection, replayed } = answer;
      return { kind: 'problem', code: rejection.code, parts: rejectionParts(rejection), replayed };
    }
    case 'version-mismatch': {
      const detail = `The order is at version ${answer.version}.`;
      return { kind: 'problem', code: 'VERSION_MISMATCH', parts: { detail }, replayed: false };
    }
    case 'key-reused':
      return { kind: 'problem', code: 'IDEMPOTENCY_KEY_REUSED', parts: {}, replayed: false };
    case 'in-progress':
      return { kind: 'problem', code: 'IDEMPOTENCY_KEY_IN_PROGRESS', parts: {}, replayed: false };
  }
}
