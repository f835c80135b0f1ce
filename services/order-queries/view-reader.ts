import { performance } from 'node:perf_hooks';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import { isOperationalFailure } from '../../infra/failures.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { within } from '../../infra/within.ts';

export type ViewReader = {
  /** null: not there, or the read store does not answer: the fold from the store then tells. */
  find(tenantId: TenantId, orderId: OrderId): Promise<OrderSummary | null>;
};

export type ViewReaderOptions = {
  /** Gives up on one read: a black hole must not hold each reader for as long as a connection takes. */
  readonly timeoutMs: number;
  /** After a failure nobody asks for so long. */
  readonly pauseMs: number;
  readonly onFailure: (failure: unknown) => void;
};

/** The order view for readers that have another way: soon answered, and left alone for a while when it fails. */
export function openViewReader(
  readStore: Pick<ReadStore, 'find'>,
  { timeoutMs, pauseMs, onFailure }: ViewReaderOptions,
): ViewReader {
  let pausedUntil = 0;
  const pause = (failure: unknown): null => {
    pausedUntil = performance.now() + pauseMs;
    onFailure(failure);
    return null;
  };
  return {
    find: async (tenantId, orderId) => {
      if (performance.now() < pausedUntil) return null;
      try {
        const found = await within(timeoutMs, readStore.find(orderSummary.view, [{ tenantId, key: orderId }]));
        return found === null ? pause(new Error(`no answer within ${timeoutMs} ms`)) : (found[0] ?? null);
      } catch (error) {
        if (!isOperationalFailure(error)) throw error;
        return pause(error);
      }
    },
  };
}
