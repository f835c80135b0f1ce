import type pg from 'pg';
import { ask } from '../../postgres/connection.ts';
import type { FenceHold } from '../port.ts';

/**
 * The fence: every append with a transaction id below it has ended, so what is below and visible is all there will
 * ever be. Read in a first statement; the rows below it in a second one, whose snapshot then sees their commits.
 */
export type Fence = {
  /** Exclusive. */
  readonly below: bigint;
  /** Age in ms of the oldest append that holds it back; 0 where none does. */
  readonly heldMs: number;
};

/** 'role': appends come from one role whose transactions pg_stat_activity shows; 'xmin': it is hidden here. */
export type FenceKind = { readonly kind: 'role'; readonly role: string } | { readonly kind: 'xmin' };

/**
 * least(the snapshot's xmax, the least xid of the append role). The plain xmin fence would wait for any writer of the
 * cluster (measured: p50 100 ms behind 200 ms projector transactions, against 9 ms; 0 lost of 3,450 with either).
 */
const roleFence = `
  select pg_snapshot_xmax(pg_current_snapshot())::text as xmax,
    coalesce(array_agg(backend_xid::text) filter (where backend_xid is not null), '{}') as running,
    coalesce(extract(epoch from max(clock_timestamp() - xact_start) filter (where backend_xid is not null)) * 1000, 0)::float8 as held_ms
  from pg_stat_activity where usename = $1`;

const xminFence = `select pg_snapshot_xmin(pg_current_snapshot())::text as xmax, '{}'::text[] as running, 0::float8 as held_ms`;

type FenceRow = { readonly xmax: string; readonly running: readonly string[]; readonly held_ms: number };

export async function readFence(pool: pg.Pool, kind: FenceKind): Promise<Fence> {
  const query =
    kind.kind === 'role'
      ? { name: 'role-fence', text: roleFence, values: [kind.role] }
      : { name: 'xmin-fence', text: xminFence };
  const [row] = await ask<FenceRow>(pool, query);
  if (row === undefined) throw new Error('the fence query answered no row');
  const xmax = BigInt(row.xmax);
  let below = xmax;
  for (const running of row.running) {
    const xid = fullXid(BigInt(running), xmax);
    if (xid < below) below = xid;
  }
  return { below, heldMs: row.held_ms };
}

/** Whoever writes anything holds the xmin fence, as far as it may be seen; the role fence only appends hold. */
const holdQuery = `
  select extract(epoch from clock_timestamp() - xact_start)::float8 * 1000 as "heldMs", pid,
    application_name as application, usename as "user"
  from pg_stat_activity where backend_xid is not null and ($1::text is null or usename = $1)
  order by xact_start limit 1`;

/** Asked apart from the fence itself, which every page of the log reads: only a scrape wants to know who it is. */
export async function readFenceHold(pool: pg.Pool, kind: FenceKind): Promise<FenceHold | null> {
  const values = [kind.kind === 'role' ? kind.role : null];
  const [row] = await ask<FenceHold>(pool, { name: 'fence-hold', text: holdQuery, values });
  return row ?? null;
}

const wrap = 1n << 32n;

/** pg_stat_activity shows 32 bits of an xid; a running one is at most 2^31 away from the snapshot's. */
export function fullXid(xid: bigint, near: bigint): bigint {
  const candidate = near - (near % wrap) + xid;
  if (candidate > near + wrap / 2n) return candidate - wrap;
  return candidate < near - wrap / 2n ? candidate + wrap : candidate;
}
