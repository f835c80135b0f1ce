import type pg from 'pg';

export type PoolUse = {
  /** The pool's application name. */
  readonly name: string;
  readonly total: number;
  readonly idle: number;
  /** Callers that wait for a connection. */
  readonly waiting: number;
};

/** Like memory and file handles, connections are the process's own: whoever opens a pool need not pass on how full it is. */
const pools = new Map<pg.Pool, string>();

export function notePool(name: string, pool: pg.Pool): void {
  pools.set(pool, name);
}

/** Use of all open pools of this process, those of one name added up: for metrics. */
export function poolUse(): readonly PoolUse[] {
  for (const pool of pools.keys()) if (pool.ending) pools.delete(pool);
  return [...Map.groupBy(pools, ([, name]) => name)].map(([name, open]) => ({
    name,
    total: sum(open, ({ totalCount }) => totalCount),
    idle: sum(open, ({ idleCount }) => idleCount),
    waiting: sum(open, ({ waitingCount }) => waitingCount),
  }));
}

function sum(open: readonly (readonly [pg.Pool, string])[], of: (pool: pg.Pool) => number): number {
  return open.reduce((total, [pool]) => total + of(pool), 0);
}
