import { OperationalFailure } from './failures.ts';

/**
 * Group commit: calls that come in while one flush is under way share the next. No timers: light load gives groups of
 * one and the least waiting. A failed flush fails the calls of its group alone.
 */
export type GroupCommit<Item, Result> = {
  push(item: Item): Promise<Result>;
  queued(): number;
};

export type GroupCommitOptions = {
  /** Items a flush takes at most. */
  readonly groupMax: number;
  /** Items waiting at most; one more is refused with OVERLOADED. */
  readonly queuedMax: number;
};

type Waiting<Item, Result> = {
  readonly item: Item;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
};

/** @param flush gives one result an item, in order */
export function groupCommit<Item, Result>(
  flush: (items: readonly Item[]) => Promise<readonly Result[]>,
  options: GroupCommitOptions,
): GroupCommit<Item, Result> {
  let waiting: Waiting<Item, Result>[] = [];
  let flushing = false;

  const flushOne = async (): Promise<void> => {
    const group = waiting.slice(0, options.groupMax);
    waiting = waiting.slice(group.length);
    try {
      const results = await flush(group.map(({ item }) => item));
      group.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  };

  const pump = async (): Promise<void> => {
    while (waiting.length > 0) await flushOne();
    flushing = false;
  };

  return {
    queued: () => waiting.length,
    push: (item) =>
      new Promise<Result>((resolve, reject) => {
        if (waiting.length >= options.queuedMax) {
          reject(new OperationalFailure('OVERLOADED', `${waiting.length} calls wait`, { retryable: true }));
          return;
        }
        waiting.push({ item, resolve, reject });
        if (flushing) return;
        flushing = true;
        // The rest of this tick joins the first group.
        setImmediate(() => void pump());
      }),
  };
}
