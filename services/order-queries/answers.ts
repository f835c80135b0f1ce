import type { OrderSnapshot } from '../../infra/order-snapshots/port.ts';
import { summaryBody } from '../../projections/order-summary/body.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';

export type AsOf = {
  readonly version: number;
  /** `recordedAt` of the event that made the version. */
  readonly eventTime: string;
  /**
   * How old the answer may be, in milliseconds. 0: folded from the store's head, or the view had every event when last
   * asked (at most a second ago). Else the age of the oldest order event that the view had not seen then.
   */
  readonly lagMs: number;
  /** The projection and its version that made it. */
  readonly projection: string;
  /** Whether the order's events wait for a repair: then it may be older than `lagMs` says. */
  readonly parked: boolean;
};

/** One order, ready to send. */
export type OrderAnswer = {
  readonly version: number;
  /** The OrderSummary's JSON without `asOf`, UTF-8. */
  readonly body: Buffer;
  readonly asOf: AsOf;
};

/** An order at one of its versions, straight from the truth, as text: a part of some larger answer. */
export type OrderText = Omit<OrderAnswer, 'body'> & { readonly body: string };

/** The answer's JSON with `asOf` as its last member: bytes are joined, nothing is parsed or built again. */
export function bodyWithAsOf({ body, asOf }: OrderAnswer): Buffer {
  const closing = Buffer.from(`,"asOf":${JSON.stringify(asOf)}}`);
  return Buffer.concat([body.subarray(0, -1), closing], body.length - 1 + closing.length);
}

const projection = `${orderSummary.view.name}@${orderSummary.view.version}`;

export function toSnapshot(summary: OrderSummary): OrderSnapshot {
  return {
    version: summary.version,
    eventTime: summary.updatedAt,
    parked: false,
    body: Buffer.from(summaryBody(summary)),
  };
}

export function toAnswer({ version, eventTime, parked, body }: OrderSnapshot, lagMs: number): OrderAnswer {
  return { version, body, asOf: { version, eventTime, lagMs, projection, parked } };
}

export function toText(summary: OrderSummary): OrderText {
  const { version, updatedAt: eventTime } = summary;
  return {
    version,
    body: summaryBody(summary),
    asOf: { version, eventTime, lagMs: 0, projection, parked: false },
  };
}
