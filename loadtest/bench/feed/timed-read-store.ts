import type { ReadStore } from '../../../infra/read-store/port.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';

/**
 * Tells of each order's last event in a batch: from its recorded time to its commit in the order summaries, in ms. Both
 * times are of this machine's clock: the store's Postgres runs here.
 */
export function timedReadStore(readStore: ReadStore, onVisible: (latencyMs: number) => void): ReadStore {
  return {
    ...readStore,
    commit: async (batch) => {
      const outcome = await readStore.commit(batch);
      const now = Date.now();
      if (batch.view.name === orderSummary.view.name) {
        for (const { document } of batch.documents)
          if (document !== null) onVisible(now - Date.parse(String(document['updatedAt'])));
      }
      return outcome;
    },
  };
}

/** Orders in the summaries. */
export async function countSummaries(readStore: ReadStore): Promise<number> {
  let views = 0;
  for await (const _ of readStore.scan(orderSummary.view)) views += 1;
  return views;
}
