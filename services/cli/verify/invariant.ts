import type { EventStore } from '../../../infra/event-store/port.ts';
import type { OrderSnapshots } from '../../../infra/order-snapshots/port.ts';
import type { ReadStore } from '../../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../../schemas/envelope.ts';
import type { ViewFolds } from './view-fold.ts';
import type { OrderId, TenantId } from '../../../schemas/ids.ts';

/** What the checks may ask, beside the events that they are shown. */
export type VerifyInput = {
  readonly store: Pick<EventStore, 'readLog' | 'readStream' | 'findCommand' | 'comparePositions'>;
  readonly views: Pick<ReadStore, 'checkpoints' | 'loadCheckpoint' | 'scanProgress' | 'find' | 'scan' | 'parking'>;
  /** Whether processes follow the log, so that views may move while they are looked at. */
  readonly isRunning: boolean;
  /** null: there are none that processes share. */
  readonly snapshots: Pick<OrderSnapshots, 'scan'> | null;
  /** Reads an order through the running system's door: its version, null where there is none. null: no door is known. */
  readonly readVersion: ((tenantId: TenantId, orderId: OrderId) => Promise<number | null>) | null;
  /** The same with `minVersion`; 'not yet' where the door says so. null: no door is known. */
  readonly readAtLeast: ((order: OrderRead) => Promise<number | 'not yet' | null>) | null;
  /** JSON Lines of acknowledged answers; null: none was given. */
  readonly ledgerFile: string | null;
  /** JSON Lines of what a client read; null: none was given. */
  readonly readsFile: string | null;
  /** The payment simulator's ledger; null: payments go to a gateway that is not ours. */
  readonly paymentsFile: string | null;
  /** Epoch milliseconds; null where nothing runs that could go on: time stands still at the last event. */
  readonly nowMs: number | null;
  /** A saga that did nothing for this long, with nothing to wait for, is stuck. */
  readonly stuckAfterMs: number;
  /** How long to wait for views that follow the log. */
  readonly patienceMs: number;
  readonly signal: AbortSignal;
};

export type OrderRead = { readonly tenantId: TenantId; readonly orderId: OrderId; readonly minVersion: number };

/** What was found; `notChecked` where there was nothing to check it with. */
export type Finding =
  | { readonly checked: number; readonly violations: Violations; readonly remark?: string }
  | { readonly notChecked: string };

/** One run of a check: it sees every event once, in the log's order, and is asked at the end. It keeps little per order. */
export type Check = {
  readonly see?: (event: RecordedEvent) => void;
  readonly finish: () => Finding | Promise<Finding>;
};

/** A statement that must always hold (notes/invariants.md). */
export type Invariant = {
  /** As `I22`. */
  readonly id: string;
  readonly statement: string;
  /** `folds`: of the views; they are shown every event before the check is, and are where the check before left them. */
  readonly check: (input: VerifyInput, folds: ViewFolds) => Check | Promise<Check>;
};

/** Counts all, keeps the first ten. */
export type Violations = { readonly count: number; readonly examples: readonly string[] };
export type ViolationList = Violations & { readonly add: (violation: string) => void };

const examplesMax = 10;

export function noViolations(): ViolationList {
  const examples: string[] = [];
  let count = 0;
  return {
    get count() {
      return count;
    },
    examples,
    add: (violation) => {
      count += 1;
      if (examples.length < examplesMax) examples.push(violation);
    },
  };
}
