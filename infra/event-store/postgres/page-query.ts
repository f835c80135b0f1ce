import type pg from 'pg';
import type { LogQuery } from '../port.ts';
import type { Place } from '../position.ts';
import { eventColumns } from './rows.ts';

/**
 * A filtered page walks at most so many events of the log: a sparse filter then costs many quick pages, each with a
 * checkpoint, and not one that never ends (measured: a second for 300,000 events).
 */
export const walkMax = 20_000;

export function isFiltered({ categories, types, recordedFrom, recordedTo }: LogQuery): boolean {
  return (categories ?? types ?? recordedFrom ?? recordedTo) !== undefined;
}

/** The events after a place and below the fence, in the log's order. One prepared plan for each combination of filters. */
export function pageQuery(query: LogQuery, after: Place, below: bigint): pg.QueryConfig {
  const values: unknown[] = [String(after.tx), after.ordinal, String(below), query.limit];
  const filters: string[] = [];
  let name = 'page';
  const filter = (kind: string, value: unknown, condition: (place: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    name += ` ${kind}`;
    filters.push(condition(`$${values.length}`));
  };
  filter('category', query.categories, (place) => `category = any(${place}::text[])`);
  filter('type', query.types, (place) => `type = any(${place}::text[])`);
  filter('from', query.recordedFrom, (place) => `recorded_at >= ${place}::timestamptz`);
  filter('to', query.recordedTo, (place) => `recorded_at < ${place}::timestamptz`);
  const walked = `select * from order_center.events
    where (tx, ord) > ($1::xid8, $2::int4) and tx < $3::xid8 order by tx, ord`;
  if (filters.length === 0)
    return { name, text: `select ${eventColumns} from (${walked} limit $4) e order by tx, ord`, values };
  const text = `select ${eventColumns} from (${walked} limit ${walkMax}) e
    where ${filters.join(' and ')} order by tx, ord limit $4`;
  return { name, text, values };
}
