import type { EventStore, LogPage, Position } from '../../event-store/port.ts';
import { tailRing, type TailQuery } from './tail-ring.ts';

/** Events kept of the log's end; some 8 MB of orders. A consumer further behind reads the store itself. */
const eventsMax = 5_000;
const pullMax = 1_000;

export type TailReader = (query: TailQuery) => Promise<LogPage>;
export type SharedTailOptions = {
  readonly eventsMax?: number;
  /** Events that one read joins to what is kept. */
  readonly pullMax?: number;
};

/**
 * The end of the log, read once for all consumers of a process. Followers that each ask the store after every append
 * cost more than the appends; here the first one to ask reads on, and the others find its events in memory. Order and
 * completeness are the store's: pages are joined end to end, and whoever is not in them reads the store.
 */
export function sharedTail(
  store: Pick<EventStore, 'readLog' | 'comparePositions'>,
  options: SharedTailOptions = {},
): TailReader {
  const ring = tailRing(options.eventsMax ?? eventsMax);
  const limit = options.pullMax ?? pullMax;
  let pulling: Promise<LogPage> | undefined;

  const pull = (): Promise<LogPage> => {
    const after = ring.end();
    pulling ??= store
      .readLog({ after, limit })
      .then((page) => {
        // Never to a ring that began anew meanwhile: the events before its beginning would come after it.
        if (ring.end() === after) ring.join(page);
        return page;
      })
      .finally(() => {
        pulling = undefined;
      });
    return pulling;
  };

  const endsBefore = (position: Position): boolean => {
    const end = ring.end();
    return end === null || store.comparePositions(end, position) < 0;
  };

  /**
   * Only who stands at the ring's end reads it on: where all have overtaken it, it would serve nobody again. It is read
   * on where one page suffices, since it begins anew without its events, and their readers would overtake it in turn.
   */
  const takeAlong = async (position: Position): Promise<void> => {
    if (!endsBefore(position)) return;
    const isNear = ring.end() !== null && (await pull()).atEnd;
    if (!isNear && endsBefore(position)) ring.begin(position);
  };

  const readStore = async (query: TailQuery): Promise<LogPage> => {
    const page = await store.readLog(query);
    if (page.atEnd && page.checkpoint !== null) await takeAlong(page.checkpoint);
    return page;
  };

  return async (query) => {
    if (ring.find(query.after) === 'end') await pull();
    // A pull can also drop what this reader follows.
    return ring.find(query.after) === 'outside' ? readStore(query) : ring.page(query);
  };
}
