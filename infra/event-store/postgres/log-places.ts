import type pg from 'pg';
import { ask } from '../../postgres/connection.ts';
import type { Backlog, BacklogQuery, Position } from '../port.ts';
import { toPosition, type Place } from '../position.ts';
import { walkMax } from './page-query.ts';

/** Places of the log that a page needs to know of. */
export type LogPlaces = {
  /** The last event below the fence; null on an empty log. */
  headBelow(below: bigint): Promise<Position | null>;
  /** Where a page that walked `walkMax` events ends; null: the log ended before. */
  walkEnd(after: Place, below: bigint): Promise<Position | null>;
  hasEventAt(place: Place): Promise<boolean>;
  backlog(categories: BacklogQuery['categories'], after: Place, below: bigint): Promise<Backlog>;
};

/** A metric must not cost more than what it measures: a backlog is counted in so many events of the log. */
const backlogWalkMax = 100_000;

type PlaceRow = { readonly tx_text: string; readonly ord: number };

export function logPlaces(pool: pg.Pool, epoch: string): LogPlaces {
  const find = async (query: pg.QueryConfig): Promise<Position | null> => {
    const [row] = await ask<PlaceRow>(pool, query);
    return row === undefined ? null : toPosition(epoch, { tx: BigInt(row.tx_text), ordinal: row.ord });
  };
  return {
    headBelow: (below) =>
      find({
        name: 'head',
        text: `select tx::text as tx_text, ord from order_center.events
          where tx < $1::xid8 order by tx desc, ord desc limit 1`,
        values: [String(below)],
      }),
    walkEnd: (after, below) =>
      find({
        name: 'walk end',
        text: `select tx::text as tx_text, ord from order_center.events
          where (tx, ord) > ($1::xid8, $2::int4) and tx < $3::xid8 order by tx, ord offset $4 limit 1`,
        values: [String(after.tx), after.ordinal, String(below), walkMax - 1],
      }),
    hasEventAt: async (place) => {
      const text = 'select true from order_center.events where tx = $1::xid8 and ord = $2';
      const rows = await ask(pool, { name: 'prove', text, values: [String(place.tx), place.ordinal] });
      return rows.length > 0;
    },
    backlog: async (categories, after, below) => {
      const [row] = await ask<{ readonly events: number; readonly age_ms: number }>(pool, {
        name: 'backlog',
        text: `select count(*)::int as events,
            coalesce(extract(epoch from clock_timestamp() - min(recorded_at)) * 1000, 0)::float8 as age_ms
          from (select category, recorded_at from order_center.events
            where (tx, ord) > ($1::xid8, $2::int4) and tx < $3::xid8 order by tx, ord limit ${backlogWalkMax}) e
          where category = any($4::text[])`,
        values: [String(after.tx), after.ordinal, String(below), categories],
      });
      return { events: row?.events ?? 0, oldestAgeMs: Math.max(0, row?.age_ms ?? 0) };
    },
  };
}
