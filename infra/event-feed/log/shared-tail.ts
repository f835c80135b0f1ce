import type { EventStore, LogPage } from '../../event-store/port.ts';
import { tailRing, type TailQuery } from './tail-ring.ts';

/** Events kept of the log's end; some 8 MB of orders. A consumer further behind reads the store itself. */
const eventsMax = 5_000;
const pullMax = 1_000;

export type TailReader = (query: TailQuery) => Promise<LogPage>;
export type SharedTailOptions = { readonly eventsMax?: number };

/**
 * The end of the log, read once for all consumers of a process. Followers that each ask the store after every append
 * cost more than the appends; here the first one to ask reads on, and the others find its events in memory. Order and
 * completeness are the store's: pages are joined end to end, and whoever is not in them reads the store.
 */
export function sharedTail(store: Pick<EventStore, 'readLog'>, options: SharedTailOptions = {}): TailReader {
  const ring = tailRing(options.eventsMax ?? eventsMax);
  let pulling: Promise<void> | undefined;

  const pull = (): Promise<void> => {
    pulling ??= store
      .readLog({ after: ring.end(), limit: pullMax })
      .then((page) => ring.join(page))
      .finally(() => {
        pulling = undefined;
      });
    return pulling;
  };

  const readStore = async (query: TailQuery): Promise<LogPage> => {
    const page = await store.readLog(query);
    if (ring.end() === null && page.atEnd && page.checkpoint !== null) ring.begin(page.checkpoint);
    return page;
  };

  return async (query) => {
    if (ring.find(query.after) === 'end') await pull();
    // A pull can also drop what this reader follows.
    return ring.find(query.after) === 'outside' ? readStore(query) : ring.page(query);
  };
}
