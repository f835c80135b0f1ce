import { openFirstAnswers } from '../resilience/first-answers.ts';
import type { AssessRisk, Risk, RiskResult } from './port.ts';

/** One verdict, as the ledger keeps it. There is no customer in it. */
export type RiskEntry = {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly op: 'assess';
  readonly key: string;
  readonly orderId: string;
  readonly amount: number;
  readonly currency: string;
  readonly result: 'accepted' | `rejected:${string}`;
};

export type MemoryRiskOptions = {
  readonly now?: () => Date;
  /** The code to reject an order with, if any; absent: all are accepted. */
  readonly reject?: (request: AssessRisk) => string | undefined;
  /** Entries of an earlier life, oldest first. */
  readonly entries?: Iterable<RiskEntry>;
  /** Makes an entry durable before its answer is told; absent: memory is all there is. */
  readonly record?: (entry: RiskEntry) => Promise<void>;
};

/** A risk service in memory with all promises of the port. With `entries` and `record` it is the simulator's heart. */
export function memoryRisk(options: MemoryRiskOptions = {}): Risk {
  const { now = () => new Date(), reject = () => undefined, entries, record } = options;
  const answers = openFirstAnswers<RiskEntry>({ apply: () => undefined, entries, record });
  return {
    assess: async (request) => {
      const { key, orderId, amount, currency } = request;
      const decide = (): RiskEntry => {
        const code = reject(request);
        const result = code ? (`rejected:${code}` as const) : 'accepted';
        return { at: now().toISOString(), op: 'assess', key, orderId, amount, currency, result };
      };
      const isSame = (known: RiskEntry) =>
        known.orderId === orderId && known.amount === amount && known.currency === currency;
      return riskResult(await answers.once({ key, isSame, decide }));
    },
  };
}

function riskResult({ result }: RiskEntry): RiskResult {
  if (result === 'accepted') return { outcome: 'accepted' };
  return { outcome: 'rejected', code: result.slice('rejected:'.length) };
}
