import { randomUUID } from 'node:crypto';
import type { AuthorizePayment, CapturePayment, PaymentResult, RefundPayment, VoidPayment } from './port.ts';

/** One effect of a gateway, as its ledger keeps it. There is no card token in it. */
export type PaymentEntry = {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly op: PaymentOperation['op'];
  readonly key: string;
  readonly orderId: string;
  readonly paymentId: string;
  readonly amount: number;
  readonly currency: string;
  /** A tombstone is a void of a run that the gateway never saw. */
  readonly result: 'succeeded' | 'tombstone' | `declined:${string}`;
  readonly providerId: string;
  readonly authorizationId?: string;
  readonly captureId?: string;
  readonly effectKey?: string;
};

export type PaymentOperation =
  | ({ readonly op: 'authorize' } & AuthorizePayment)
  | ({ readonly op: 'capture' } & CapturePayment)
  | ({ readonly op: 'void' } & VoidPayment)
  | ({ readonly op: 'refund' } & RefundPayment);

/** What a gateway knows, folded from its entries. */
export type PaymentAccounts = {
  readonly runs: Map<string, PaymentEntry>;
  readonly tombstones: Set<string>;
  readonly authorizations: Map<string, { readonly entry: PaymentEntry; captured: number; voided: boolean }>;
  readonly captures: Map<string, { readonly entry: PaymentEntry; refunded: number }>;
};

/** This card token is declined by every gateway of ours that is not a real one. */
const DECLINED_TOKEN = 'tok_declined';

export function noAccounts(): PaymentAccounts {
  return { runs: new Map(), tombstones: new Set(), authorizations: new Map(), captures: new Map() };
}

/**
 * Decides one operation: captured ≤ authorized, refunded ≤ captured, no capture after a void, no void after a capture,
 * nothing under a tombstoned key.
 */
export function decidePayment(accounts: PaymentAccounts, operation: PaymentOperation, at: Date): PaymentEntry {
  if (accounts.tombstones.has(operation.key)) return declined(operation, 'TOMBSTONED', at);
  switch (operation.op) {
    case 'authorize':
      return operation.token === DECLINED_TOKEN ? declined(operation, 'CARD_DECLINED', at) : succeeded(operation, at);
    case 'capture':
      return decideCapture(accounts, operation, at);
    case 'void':
      return decideVoid(accounts, operation, at);
    case 'refund':
      return decideRefund(accounts, operation, at);
  }
}

/** Folds an entry into the accounts. History happened: nothing is checked here. */
export function applyPayment(accounts: PaymentAccounts, entry: PaymentEntry): void {
  accounts.runs.set(entry.key, entry);
  if (entry.result === 'tombstone' && entry.effectKey) accounts.tombstones.add(entry.effectKey);
  if (entry.result !== 'succeeded') return;
  switch (entry.op) {
    case 'authorize':
      accounts.authorizations.set(entry.providerId, { entry, captured: 0, voided: false });
      return;
    case 'capture': {
      accounts.captures.set(entry.providerId, { entry, refunded: 0 });
      const authorization = accounts.authorizations.get(entry.authorizationId ?? '');
      if (authorization) authorization.captured += entry.amount;
      return;
    }
    case 'void': {
      const authorization = accounts.authorizations.get(entry.authorizationId ?? '');
      if (authorization) authorization.voided = true;
      return;
    }
    case 'refund': {
      const capture = accounts.captures.get(entry.captureId ?? '');
      if (capture) capture.refunded += entry.amount;
      return;
    }
  }
}

/** The decline of an operation, whatever the accounts say. */
export function declined(operation: PaymentOperation, code: string, at: Date): PaymentEntry {
  return { ...succeeded(operation, at), result: `declined:${code}` };
}

export function paymentResult(entry: PaymentEntry): PaymentResult {
  const { result, providerId, amount, currency } = entry;
  if (result.startsWith('declined:')) return { outcome: 'declined', code: result.slice('declined:'.length) };
  return { outcome: 'succeeded', providerId, amount, currency };
}

/** Whether an entry came from this very request; the token is not compared, for no entry keeps it. */
export function isSamePayment(entry: PaymentEntry, operation: PaymentOperation): boolean {
  const { orderId, paymentId, amount, currency, authorizationId, captureId, effectKey } = succeeded(
    operation,
    new Date(0),
  );
  const isSameAmount = operation.op === 'void' || (entry.amount === amount && entry.currency === currency);
  const isSameTarget =
    operation.op === 'void'
      ? entry.effectKey === effectKey
      : entry.authorizationId === authorizationId && entry.captureId === captureId;
  const isSameOrder = entry.orderId === orderId && entry.paymentId === paymentId;
  return entry.op === operation.op && isSameOrder && isSameAmount && isSameTarget;
}

function decideCapture(accounts: PaymentAccounts, operation: OperationOf<'capture'>, at: Date): PaymentEntry {
  const authorization = accounts.authorizations.get(operation.authorizationId);
  if (authorization?.entry.orderId !== operation.orderId) return declined(operation, 'AUTHORIZATION_NOT_FOUND', at);
  if (authorization.voided) return declined(operation, 'AUTHORIZATION_VOIDED', at);
  const isWithin = authorization.captured + operation.amount <= authorization.entry.amount;
  if (!isWithin || authorization.entry.currency !== operation.currency) {
    return declined(operation, 'EXCEEDS_AUTHORIZED', at);
  }
  return succeeded(operation, at);
}

function decideVoid(accounts: PaymentAccounts, operation: OperationOf<'void'>, at: Date): PaymentEntry {
  const run = accounts.runs.get(operation.effectKey);
  if (!run) return { ...succeeded(operation, at), result: 'tombstone' };
  const nothing = { ...succeeded(operation, at), currency: run.currency };
  if (run.result !== 'succeeded') return nothing;
  const authorization = accounts.authorizations.get(run.providerId);
  if (!authorization || authorization.captured > 0) return { ...nothing, result: 'declined:ALREADY_CAPTURED' };
  const held = authorization.voided ? 0 : run.amount;
  return { ...nothing, amount: held, authorizationId: run.providerId };
}

function decideRefund(accounts: PaymentAccounts, operation: OperationOf<'refund'>, at: Date): PaymentEntry {
  const capture = accounts.captures.get(operation.captureId);
  if (capture?.entry.orderId !== operation.orderId) return declined(operation, 'CAPTURE_NOT_FOUND', at);
  const isWithin = capture.refunded + operation.amount <= capture.entry.amount;
  if (!isWithin || capture.entry.currency !== operation.currency) return declined(operation, 'EXCEEDS_CAPTURED', at);
  return succeeded(operation, at);
}

type OperationOf<Op extends PaymentOperation['op']> = Extract<PaymentOperation, { readonly op: Op }>;

/** A void names no money, so its entry starts from nothing: 0 of XXX, the code of ISO 4217 for "no currency". */
function succeeded(operation: PaymentOperation, at: Date): PaymentEntry {
  const { op, key, orderId, paymentId } = operation;
  const { amount, currency } = operation.op === 'void' ? { amount: 0, currency: 'XXX' } : operation;
  return {
    at: at.toISOString(),
    op,
    key,
    orderId,
    paymentId,
    amount,
    currency,
    result: 'succeeded',
    providerId: `${op}_${randomUUID()}`,
    ...(operation.op === 'capture' ? { authorizationId: operation.authorizationId } : {}),
    ...(operation.op === 'refund' ? { captureId: operation.captureId } : {}),
    ...(operation.op === 'void' ? { effectKey: operation.effectKey } : {}),
  };
}
