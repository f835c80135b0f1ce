import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { OperationalFailure } from '../../failures.ts';
import type { LogPage, LogQuery, Position } from '../port.ts';
import { comparePlaces, toPlace, toPosition, type Place } from '../position.ts';
import { ask } from '../../postgres/connection.ts';
import { readFence, type FenceKind } from './fence.ts';
import { eventColumns, recordedOf, type EventRow } from './rows.ts';

export type LogReader = {
  page(query: LogQuery): Promise<LogPage>;
  head(): Promise<Position | null>;
  /** Age in ms of the append that held the last read's fence back. */
  heldMs(): number;
};

export function logReader(pool: pg.Pool, epoch: string, fenceKind: FenceKind): LogReader {
  // Positions that this process handed out, or saw in the store: they need no proof.
  const proven = new LRUCache<Position, true>({ max: 1_000 });
  let heldMs = 0;

  const fenceBelow = async (): Promise<bigint> => {
    const fence = await readFence(pool, fenceKind);
    heldMs = fence.heldMs;
    return fence.below;
  };

  const headBelow = async (below: bigint): Promise<Position | null> => {
    const rows = await ask<{ tx: string; ord: number }>(pool, {
      name: 'head',
      text: 'select tx::text, ord from order_center.events where tx < $1::xid8 order by events.tx desc, ord desc limit 1',
      values: [String(below)],
    });
    return rows[0] === undefined ? null : toPosition(epoch, { tx: BigInt(rows[0].tx), ordinal: rows[0].ord });
  };

  /** A checkpoint is always an event's position: one that is not here comes from a restored or foreign store. */
  const prove = async (after: Position, place: Place): Promise<void> => {
    if (proven.has(after)) return;
    const rows = await ask(pool, {
      name: 'prove',
      text: 'select true from order_center.events where tx = $1::xid8 and ord = $2',
      values: [String(place.tx), place.ordinal],
    });
    if (rows.length === 0) {
      throw new OperationalFailure('FOREIGN_STORE', `this store has no event at ${after}`, { retryable: false });
    }
    proven.set(after, true);
  };

  const page = async (query: LogQuery): Promise<LogPage> => {
    const place = query.after === null ? { tx: 0n, ordinal: -1 } : toPlace(epoch, query.after);
    if (query.after !== null) await prove(query.after, place);
    const below = await fenceBelow();
    const rows = await ask<EventRow>(pool, pageQuery(query, place, below));
    const events = rows.map((row) => recordedOf(epoch, row));
    const atEnd = events.length < query.limit;
    const filtered = query.categories ?? query.types ?? query.recordedFrom ?? query.recordedTo;
    const last = atEnd && filtered !== undefined ? await headBelow(below) : events.at(-1)?.position;
    const checkpoint = furthest(query.after, last ?? null);
    if (checkpoint !== null) proven.set(checkpoint, true);
    return { events, checkpoint, atEnd };
  };

  const furthest = (after: Position | null, last: Position | null): Position | null => {
    if (after === null || last === null) return last ?? after;
    return comparePlaces(toPlace(epoch, last), toPlace(epoch, after)) > 0 ? last : after;
  };

  return { page, head: async () => headBelow(await fenceBelow()), heldMs: () => heldMs };
}

function pageQuery(query: LogQuery, after: Place, below: bigint): pg.QueryConfig {
  const values: unknown[] = [String(after.tx), after.ordinal, String(below), query.limit];
  const filters: string[] = [];
  // One prepared plan for each combination of filters.
  let name = 'page';
  const filter = (kind: string, value: unknown, condition: (place: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    name += ` ${kind}`;
    filters.push(` and ${condition(`$${values.length}`)}`);
  };
  filter('category', query.categories, (place) => `category = any(${place}::text[])`);
  filter('type', query.types, (place) => `type = any(${place}::text[])`);
  filter('from', query.recordedFrom, (place) => `recorded_at >= ${place}::timestamptz`);
  filter('to', query.recordedTo, (place) => `recorded_at < ${place}::timestamptz`);
  const where = `(tx, ord) > ($1::xid8, $2::int4) and tx < $3::xid8${filters.join('')}`;
  const text = `select ${eventColumns} from order_center.events where ${where} order by events.tx, ord limit $4`;
  return { name, text, values };
}
