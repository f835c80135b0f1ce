import type pg from 'pg';
import { ask } from '../../postgres/connection.ts';
import type { Position } from '../port.ts';
import { toPosition, type Place } from '../position.ts';
import { walkMax } from './page-query.ts';

/** Places of the log that a page needs to know of. */
export type LogPlaces = {
  /** The last event below the fence; null on an empty log. */
  headBelow(below: bigint): Promise<Position | null>;
  /** Where a page that walked `walkMax` events ends; null: the log ended before. */
  walkEnd(after: Place, below: bigint): Promise<Position | null>;
  hasEventAt(place: Place): Promise<boolean>;
};

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
  };
}
