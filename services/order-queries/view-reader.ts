import { performance } from 'node:perf_hooks';
import type { Document, ReadStore, View } from '../../infra/read-store/port.ts';
import type { OrderSummary } from '../../projections/order-summary/summary.ts';
import { isOperationalFailure } from '../../infra/failures.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import { within } from '../../infra/within.ts';

export type ViewReader<D extends Document = OrderSummary> = {
  /** null: not there, or the read store does not answer: the fold from the store then tells. */
  find(tenantId: TenantId, orderId: OrderId): Promise<D | null>;
};

export type ViewReaderOptions<D extends Document> = {
  /** A view with one document per order. */
  readonly view: View<D>;
  /** Gives up on one read: a black hole must not hold each reader for as long as a connection takes. */
  readonly timeoutMs: number;
  /** After a failure nobody asks for so long. */
  readonly pauseMs: number;
  readonly onFailure: (failure: unknown) => void;
};

/** A view of orders for readers that have another way: soon answered, and left alone for a while when it fails. */
export function openViewReader<D extends Document>(
  readStore: Pick<ReadStore, 'find'>,
  { view, timeoutMs, pauseMs, onFailure }: ViewReaderOptions<D>,
): ViewReader<D> {
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
        const found = await within(timeoutMs, readStore.find(view, [{ tenantId, key: orderId }]));
        return found === null ? pause(new Error(`no answer within ${timeoutMs} ms`)) : (found[0] ?? null);
      } catch (error) {
        if (!isOperationalFailure(error)) throw error;
        return pause(error);
      }
    },
  };
}
