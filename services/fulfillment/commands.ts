import type { OrderId } from '../../schemas/ids.ts';

/** What the saga of one order may be told. Each is idempotent: told again, it is accepted with no new event. */
export type StartFulfillment = {
  readonly type: 'StartFulfillment';
  readonly orderId: OrderId;
  readonly customerId: string;
  readonly currency: string;
  readonly total: number;
  readonly lines: readonly { readonly lineId: string; readonly sku: string; readonly quantity: number }[];
  readonly payments: readonly { readonly paymentId: string; readonly method: string; readonly amount: number }[];
  /** How long the order may stay unpaid. */
  readonly unpaidExpiryMs: number;
};

/** Names the recorded attempt that an outcome belongs to: the outcome of any other is dropped. */
type OfAttempt<Type extends string> = {
  readonly type: Type;
  readonly step: string;
  readonly direction: 'run' | 'undo';
  readonly attempt: number;
};
export type RecordStepSucceeded = OfAttempt<'RecordStepSucceeded'> & {
  readonly result: Readonly<Record<string, string>>;
};
/** The business said no, and the step left nothing behind. */
export type RecordStepRefused = OfAttempt<'RecordStepRefused'> & { readonly code: string };
/** The world did not help: the same call is made again after the delay, which holds the driver's jitter. */
export type RecordStepFailed = OfAttempt<'RecordStepFailed'> & {
  readonly code: string;
  /** How many failures of this step were recorded before. */
  readonly failures: number;
  readonly retryInMs: number;
};
/** Nothing went wrong, it only is not there yet (a parcel on its way). */
export type RecordStepWaiting = OfAttempt<'RecordStepWaiting'> & {
  /** How many waits were recorded before. */
  readonly waits: number;
  readonly checkInMs: number;
};
export type Quarantine = OfAttempt<'Quarantine'> & { readonly code: string; readonly detail: string };

/** What the order's own stream says. */
export type NoteOrderSignal =
  | { readonly type: 'NoteOrderSignal'; readonly signal: 'cancelled' | 'expired' }
  | { readonly type: 'NoteOrderSignal'; readonly signal: 'payment_failed'; readonly paymentId: string }
  | {
      readonly type: 'NoteOrderSignal';
      readonly signal: 'paid';
      readonly paymentId: string;
      /** The provider's id of the capture: what a refund names. */
      readonly captureId: string;
      readonly amount: number;
    };

/** The order was amended before its payment began. */
export type NoteOrderAmended = Pick<StartFulfillment, 'total' | 'lines' | 'payments'> & {
  readonly type: 'NoteOrderAmended';
  /** Of the order after it. */
  readonly orderVersion: number;
};

export type FireTimer = { readonly type: 'FireTimer'; readonly timerId: string };

export type SagaCommand =
  | StartFulfillment
  | RecordStepSucceeded
  | RecordStepRefused
  | RecordStepFailed
  | RecordStepWaiting
  | Quarantine
  | NoteOrderSignal
  | NoteOrderAmended
  | FireTimer;
