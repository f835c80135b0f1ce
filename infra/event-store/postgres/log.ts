import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import { ask } from '../../postgres/connection.ts';
import type { Backlog, BacklogQuery, FenceHold, LogPage, LogQuery, Position } from '../port.ts';
import { comparePlaces, toPlace, type Place } from '../position.ts';
import { readFence, readFenceHold, type FenceKind } from './fence.ts';
import { logPlaces } from './log-places.ts';
import { isFiltered, pageQuery } from './page-query.ts';
import { recordedOf, type EventRow } from './rows.ts';

export type LogReader = {
  page(query: LogQuery): Promise<LogPage>;
  head(): Promise<Position | null>;
  backlog(query: BacklogQuery): Promise<Backlog>;
  fenceHold(): Promise<FenceHold | null>;
  /** Age in ms of the append that held the last read's fence back. */
  heldMs(): number;
};

export function logReader(pool: pg.Pool, epoch: string, fenceKind: FenceKind): LogReader {
  // Positions that this process handed out, or saw in the store: they need no proof.
  const proven = new LRUCache<Position, true>({ max: 1_000 });
  const places = logPlaces(pool, epoch);
  let heldMs = 0;

  const fenceBelow = async (): Promise<bigint> => {
    const fence = await readFence(pool, fenceKind);
    heldMs = fence.heldMs;
    return fence.below;
  };

  const placeOf = ({ after }: { readonly after: Position | null }): Place =>
    after === null ? { tx: 0n, ordinal: -1 } : toPlace(epoch, after);

  /** A checkpoint is always an event's position: one that is not here comes from a restored or foreign store. */
  const prove = async (after: Position, place: Place): Promise<void> => {
    if (proven.has(after)) return;
    if (!(await places.hasEventAt(place))) {
      throw new OperationalFailure('FOREIGN_STORE', `this store has no event at ${after}`, { retryable: false });
    }
    proven.set(after, true);
  };

  const pageBelow = async (query: LogQuery, place: Place, below: bigint): Promise<LogPage> => {
    const rows = await ask<EventRow>(pool, pageQuery(query, place, below));
    const events = rows.map((row) => recordedOf(epoch, row));
    const last = events.at(-1)?.position ?? null;
    if (events.length === query.limit) return { events, checkpoint: last, atEnd: false };
    if (!isFiltered(query)) return { events, checkpoint: last ?? query.after, atEnd: true };
    const walked = await places.walkEnd(place, below);
    if (walked !== null) return { events, checkpoint: walked, atEnd: false };
    return { events, checkpoint: furthest(query.after, await places.headBelow(below)), atEnd: true };
  };

  const furthest = (after: Position | null, head: Position | null): Position | null => {
    if (after === null || head === null) return head ?? after;
    return comparePlaces(toPlace(epoch, head), toPlace(epoch, after)) > 0 ? head : after;
  };

  const page = async (query: LogQuery): Promise<LogPage> => {
    const place = placeOf(query);
    if (query.after !== null) await prove(query.after, place);
    const below = await fenceBelow();
    // A position from a stream can lie above the fence: what is below it may still come, so its reader starts there.
    if (place.tx >= below) return { events: [], checkpoint: await places.headBelow(below), atEnd: true };
    const result = await pageBelow(query, place, below);
    if (result.checkpoint !== null) proven.set(result.checkpoint, true);
    return result;
  };

  return {
    page,
    head: async () => places.headBelow(await fenceBelow()),
    backlog: async (query) => places.backlog(query.categories, placeOf(query), await fenceBelow()),
    fenceHold: () => readFenceHold(pool, fenceKind),
    heldMs: () => heldMs,
  };
}
