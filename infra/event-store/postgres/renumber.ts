import type pg from 'pg';

import type { AdoptOptions } from '../keeper.ts';

/** Rows of one statement; between two of them an operator can still change their mind. */
const batchMax = 20_000;

/** New places are (1, 0), (1, 1) … : transaction 1 is no server's, and below every one. At so many the next begins. */
const ordinalsOfOne = 1_000_000_000;

/**
 * Where the events' transaction ids are ahead of this server's, gives every event a new place below them, in the old
 * order. Inside the caller's transaction, so that no half of it is ever seen. A new place is never after the old one,
 * and equal to it only for the same event: what an earlier adoption placed stays, and no two rows meet on the way.
 * @returns how many events there are; 0 where the places are fine as they are
 */
export async function renumberEvents(client: pg.Client, { signal, onRenumbered }: AdoptOptions): Promise<number> {
  const { rows } = await client.query<{ ahead: boolean }>(
    'select exists (select from order_center.events where tx >= pg_snapshot_xmax(pg_current_snapshot())) as ahead',
  );
  if (rows[0]?.ahead !== true) return 0;
  let after = { tx: '0', ord: -1 };
  let renumbered = 0;
  for (;;) {
    signal.throwIfAborted();
    const batch = await client.query<{ tx: string; ord: number }>(oneBatch, [after.tx, after.ord, renumbered]);
    const last = batch.rows.at(-1);
    if (last === undefined) return renumbered;
    after = last;
    renumbered += batch.rows.length;
    onRenumbered?.(renumbered);
  }
}

const oneBatch = `
  with page as materialized (
    select tx, ord, $3::bigint + row_number() over (order by tx, ord) - 1 as rank
    from order_center.events where (tx, ord) > ($1::xid8, $2::int4) order by tx, ord limit ${batchMax}
  ), moved as (
    update order_center.events e
    set tx = (1 + page.rank / ${ordinalsOfOne})::text::xid8, ord = page.rank % ${ordinalsOfOne}
    from page where e.tx = page.tx and e.ord = page.ord
  )
  select tx::text as tx, ord from page order by page.tx, page.ord`;
