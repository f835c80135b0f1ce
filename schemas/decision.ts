import type { ErrorCode } from './error-codes.ts';
import type { PersonalData } from './personal-data.ts';

/** What deciders of any kind share: an event as decided, before the store gives it id, revision and time. */
export type DecidedEvent = { readonly type: string; readonly data: object };

/** A decided event; `occurredAt` where the fact has a time of its own, `personal` where some of it must be sealed. */
export type Decided<E extends DecidedEvent> = {
  readonly event: E;
  /** ISO time; null: it happened, nobody knows when; absent: as it was recorded. */
  readonly occurredAt?: string | null;
  readonly personal?: PersonalData;
  /** On a command's first event: a word that no other event of the tenant may hold (an order's reference). */
  readonly claim?: string;
};

export type Rejection = { readonly code: ErrorCode; readonly detail: string };

export type Decision<E extends DecidedEvent> =
  | { readonly outcome: 'accepted'; readonly events: readonly Decided<E>[] }
  | { readonly outcome: 'rejected'; readonly rejection: Rejection };

export function accept<E extends DecidedEvent>(...events: readonly (E | Decided<E>)[]): Decision<E> {
  return { outcome: 'accepted', events: events.map((event) => ('event' in event ? event : { event })) };
}

export function reject(code: ErrorCode, detail: string): Decision<never> {
  return { outcome: 'rejected', rejection: { code, detail } };
}

/** Closes a switch over a union: a new member shows every place to visit. */
export function unreachable(value: never): never {
  throw new Error(`unreachable: ${JSON.stringify(value)}`);
}
