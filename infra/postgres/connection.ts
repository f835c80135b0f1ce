import pg from 'pg';
import { OperationalFailure } from '../failures.ts';
import { notePool } from './pool-use.ts';

/** What the world does to a connection, by SQLSTATE or socket error. */
export type Trouble = 'conflict' | 'again' | 'poison' | 'lost' | 'other';

const connectTimeoutMs = 2_000;
/** Our write transactions end within a second, so that readers never wait longer for their fence. */
const statementTimeoutMs = 1_000;
/** A black hole answers nothing: the client gives up on its own, after the server would have. */
const queryTimeoutMs = 2_500;
const readStatementTimeoutMs = 15_000;

/**
 * Every query here has its index. A plan that was made while a table was tiny would read it whole, row by row of a batch,
 * until the next autoanalyze (measured: 60 appends at 60,000 rows in 765 ms, against 8).
 */
const alwaysByIndex = '-c enable_seqscan=off';

/** int8 as a number, timestamptz as ISO text; the rest as pg does it. */
const parsers: ReadonlyMap<number, (text: string) => unknown> = new Map<number, (text: string) => unknown>([
  [pg.types.builtins.INT8, safeInteger],
  [pg.types.builtins.TIMESTAMPTZ, isoOf],
]);
const types: pg.CustomTypesConfig = {
  getTypeParser: (oid, format) =>
    parsers.get(oid) ?? (pg.types.getTypeParser(oid, format) as (text: string) => unknown),
};

/** @throws Error when the server cannot be reached within 2 s */
export async function connectLane(url: string, applicationName: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    application_name: applicationName,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: statementTimeoutMs,
    query_timeout: queryTimeoutMs,
    // One plan for every batch: a lane that begins with small ones would be planned anew each time (measured: ×1.6 of
    // Postgres' time for a batch of 8).
    options: `-c plan_cache_mode=force_generic_plan ${alwaysByIndex}`,
    keepAlive: true,
    types,
  });
  // An idle client's error would end the process; the next query on it finds out.
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

export function openPool(
  url: string,
  options: {
    readonly applicationName: string;
    readonly connectionsMax: number;
    /** 15,000 if absent: reads may be long. */
    readonly statementTimeoutMs?: number;
    /** How long a transaction, with its locks, outlives a process that stopped in it. 10,000 if absent. */
    readonly idleInTransactionMs?: number;
  },
): pg.Pool {
  const { statementTimeoutMs: timeoutMs = readStatementTimeoutMs, idleInTransactionMs = 10_000 } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: options.applicationName,
    max: options.connectionsMax,
    connectionTimeoutMillis: connectTimeoutMs,
    statement_timeout: timeoutMs,
    query_timeout: timeoutMs + 1_000,
    lock_timeout: 5_000,
    idle_in_transaction_session_timeout: idleInTransactionMs,
    options: `-c timezone=UTC ${alwaysByIndex}`,
    keepAlive: true,
    types,
  });
  notePool(options.applicationName, pool);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => void client.on('error', () => undefined));
  return pool;
}

/** Runs a query; whatever the world does becomes STORE_UNAVAILABLE. */
export async function ask<Row extends pg.QueryResultRow>(pool: pg.Pool, query: pg.QueryConfig): Promise<Row[]> {
  try {
    return (await pool.query<Row>(query)).rows;
  } catch (error) {
    if (troubleOf(error) === 'other') throw error;
    throw new OperationalFailure('STORE_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  }
}

/** Read-only now; and transactions that the server ended, since this process stood still in them for too long. */
const lostInTransaction: ReadonlySet<string> = new Set(['25006', '25P03', '25P04']);

export function troubleOf(error: unknown): Trouble {
  // A value that we could not even encode: ours to mend, and no server's fault.
  if (error instanceof TypeError || error instanceof RangeError) return 'other';
  if (!(error instanceof pg.DatabaseError) || error.code === undefined) return 'lost';
  const { code } = error;
  if (code === '23505' || code === '23502') return 'conflict';
  // Deadlock, serialization, statement or lock timeout.
  if (code === '40P01' || code === '40001' || code === '57014' || code === '55P03') return 'again';
  const family = code.slice(0, 2);
  if (family === '22' || family === '54') return 'poison';
  // Connection trouble, refused login, shutdown, out of resources, disk full, internal.
  const isLost = ['08', '28', '57', '53', '58', 'XX'].includes(family) || lostInTransaction.has(code);
  return isLost ? 'lost' : 'other';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function safeInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new Error(`${text} is beyond the safe integers`);
  return value;
}

/**
 * `2026-11-23 09:54:11.1+00` → `2026-11-23T09:54:11.100Z`: connections run in UTC. Never throws: a time that no door
 * lets in, but a row holds, must not make the log unreadable.
 */
function isoOf(text: string): string {
  const parts = /^(\d{4})-(\d\d)-(\d\d) (\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?\+00$/.exec(text);
  if (parts === null) return text;
  const [, year, month, day, time, fraction = ''] = parts;
  return `${year}-${month}-${day}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}Z`;
}
