import { asRecord, problemOf } from '../api.ts';
import type { Api } from '../api.ts';
import { forEachBounded } from '../bounded.ts';
import { commandIdOf } from './olist-order.ts';
import type { BackfillBody } from './olist-order.ts';

export type PostedOrders = {
  readonly imported: number;
  /** Answered by an earlier run. */
  readonly alreadyThere: number;
  /** What was refused, by reference. */
  readonly refused: ReadonlyMap<string, string>;
};

export type PostOptions = {
  readonly concurrency: number;
  readonly onProgress: (done: number) => void;
};

/** Posts each order with its own key, so that a second run, or a run after a kill, adds nothing. */
export async function postOrders(
  api: Api,
  bodies: readonly BackfillBody[],
  { concurrency, onProgress }: PostOptions,
): Promise<PostedOrders> {
  const counts = { imported: 0, alreadyThere: 0 };
  const refused = new Map<string, string>();
  await forEachBounded(bodies, concurrency, async (body) => {
    const { reference = '' } = body;
    const post = { key: commandIdOf(reference), body };
    const answer = await api.call({ path: '/v1/orders/backfill', post });
    if (answer.status !== 201 || asRecord(answer.body).reference !== reference)
      refused.set(reference, problemOf(answer));
    else counts[answer.isReplay ? 'alreadyThere' : 'imported'] += 1;
    onProgress(counts.imported + counts.alreadyThere + refused.size);
  });
  return { ...counts, refused };
}
