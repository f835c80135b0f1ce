import type { OrderId } from '../../schemas/ids.ts';
import type { Saga } from './saga-state.ts';

/** What metrics and logs need of the sagas. No personal data: ids, names and codes. */
export type Observation =
  | {
      readonly what: 'step';
      readonly orderId: OrderId;
      readonly step: string;
      readonly direction: 'run' | 'undo';
      readonly outcome: 'succeeded' | 'refused' | 'waiting' | 'stuck' | 'failed' | 'bug';
      /** The refusal's or failure's. */
      readonly code: string | null;
      readonly durationMs: number;
    }
  | { readonly what: 'saga-ended'; readonly orderId: OrderId; readonly status: Saga['status'] }
  /** The store did not help: the watchdog drives it again. */
  | { readonly what: 'drive-stopped'; readonly orderId: OrderId; readonly code: string }
  /** A bug, in a step or a decision: this one saga stands still, the others go on. */
  | { readonly what: 'bug'; readonly orderId: OrderId; readonly step: string | null; readonly error: unknown }
  /** An event of it cannot be understood: it waits, with its later ones, until an operator has it told again. */
  | { readonly what: 'order-parked'; readonly orderId: OrderId; readonly revision: number; readonly reason: string }
  /** A loop of the process (order feed, timers, watchdog) failed and goes on. */
  | { readonly what: 'loop-failed'; readonly loop: string; readonly error: unknown }
  /** The order feed's checkpoint did not move: another process moved it. */
  | { readonly what: 'checkpoint-refused' }
  | { readonly what: 'timer-fired'; readonly orderId: OrderId; readonly timerId: string }
  | { readonly what: 'redriven'; readonly orderId: OrderId };

export type Observe = (observation: Observation) => void;

/** Monotonic time and rest, so that tests hold both in their hands. */
export type Clock = {
  /** Milliseconds since some fixed moment; never goes back. */
  readonly now: () => number;
  /** Resolves after the time, or at once when the signal is aborted. */
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
};
