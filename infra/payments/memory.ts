import { openFirstAnswers } from '../resilience/first-answers.ts';
import {
  applyPayment,
  decidePayment,
  declined,
  isSamePayment,
  noAccounts,
  paymentResult,
  type PaymentEntry,
  type PaymentOperation,
} from './gateway.ts';
import type { Payments } from './port.ts';

export type MemoryPaymentsOptions = {
  readonly now?: () => Date;
  /** The code to decline a new operation with, if any. */
  readonly decline?: (operation: PaymentOperation) => string | undefined;
  /** Entries of an earlier life, oldest first. */
  readonly entries?: Iterable<PaymentEntry>;
  /** Makes an entry durable before its answer is told; absent: memory is all there is. */
  readonly record?: (entry: PaymentEntry) => Promise<void>;
};

/** A gateway in memory with all promises of the port. With `entries` and `record` it is the simulator's heart. */
export function memoryPayments(options: MemoryPaymentsOptions = {}): Payments {
  const { now = () => new Date(), decline = () => undefined } = options;
  const accounts = noAccounts();
  const answers = openFirstAnswers<PaymentEntry>({
    apply: (entry) => applyPayment(accounts, entry),
    entries: options.entries,
    record: options.record,
  });
  const run = async (operation: PaymentOperation) => {
    const decide = () => {
      const code = decline(operation);
      return code ? declined(operation, code, now()) : decidePayment(accounts, operation, now());
    };
    const entry = await answers.once({
      key: operation.key,
      isSame: (known) => isSamePayment(known, operation),
      decide,
    });
    return paymentResult(entry);
  };
  return {
    authorize: (request) => run({ op: 'authorize', ...request }),
    capture: (request) => run({ op: 'capture', ...request }),
    void: (request) => run({ op: 'void', ...request }),
    refund: (request) => run({ op: 'refund', ...request }),
    find: async (key) => {
      const entry = await answers.find(key);
      if (entry) return paymentResult(entry);
      return accounts.tombstones.has(key) ? { outcome: 'declined', code: 'TOMBSTONED' } : 'not-found';
    },
  };
}
