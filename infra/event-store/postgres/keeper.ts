import { randomUUID } from 'node:crypto';
import pg from 'pg';

import { OperationalFailure } from '../../failures.ts';
import { messageOf, troubleOf } from '../../postgres/connection.ts';
import type { AdoptOptions, Adoption, StoreKeeper, StoreState } from '../keeper.ts';
import { toPosition } from '../position.ts';
import { newMeta, prepareSchema } from './prepare.ts';
import { renumberEvents } from './renumber.ts';

/** Whoever holds a lock for longer is a running system. */
const lockTimeoutMs = 5_000;

/**
 * @throws OperationalFailure STORE_UNAVAILABLE where the server cannot be reached
 */
export async function openPostgresStoreKeeper(url: string): Promise<StoreKeeper> {
  const client = new pg.Client({
    connectionString: url,
    application_name: 'order-center keeper',
    connectionTimeoutMillis: 5_000,
    lock_timeout: lockTimeoutMs,
    options: '-c timezone=UTC',
  });
  client.on('error', () => undefined);
  await worldly(() => client.connect());
  return {
    state: () => worldly(() => stateOf(client)),
    adopt: (options) => worldly(() => adopt(url, client, options)),
    close: () => client.end(),
  };
}

async function stateOf(client: pg.Client): Promise<StoreState | null> {
  const made = await client.query<{ made: boolean; old: boolean }>(
    `select to_regclass('order_center.store_meta') is not null as made,
      to_regclass('order_center.former_epochs') is null as old`,
  );
  if (made.rows[0]?.made !== true) return null;
  const meta = await client.query<{ epoch: string }>('select epoch from order_center.store_meta');
  const epoch = meta.rows[0]?.epoch;
  if (epoch === undefined) return null;
  const former = made.rows[0].old
    ? { rows: [] }
    : await client.query<{ epoch: string; ended_at: string }>(
        `select epoch, to_char(ended_at, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as ended_at
         from order_center.former_epochs order by order_center.former_epochs.ended_at`,
      );
  const formerEpochs = former.rows.map((row) => ({ epoch: row.epoch, endedAt: row.ended_at }));
  return { epoch, formerEpochs, ...(await countsOf(client, epoch)) };
}

type Counts = Omit<StoreState, 'epoch' | 'formerEpochs'>;
type LastRow = { readonly tx: string; readonly ord: number; readonly recorded_at: string; readonly is_ahead: boolean };

async function countsOf(client: pg.Client, epoch: string): Promise<Counts> {
  const { rows } = await client.query<{ events: string; streams: string }>(
    'select count(*) as events, count(*) filter (where revision = 0) as streams from order_center.events',
  );
  const last = await client.query<LastRow>(
    `select e.tx::text as tx, ord, to_char(recorded_at, 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as recorded_at,
       e.tx >= pg_snapshot_xmax(pg_current_snapshot()) as is_ahead
     from order_center.events e order by e.tx desc, ord desc limit 1`,
  );
  const [row] = last.rows;
  return {
    events: Number(rows[0]?.events ?? 0),
    streams: Number(rows[0]?.streams ?? 0),
    head: row === undefined ? null : toPosition(epoch, { tx: BigInt(row.tx), ordinal: row.ord }),
    lastRecordedAt: row?.recorded_at ?? null,
    isAhead: row?.is_ahead ?? false,
  };
}

async function adopt(url: string, client: pg.Client, options: AdoptOptions): Promise<Adoption> {
  await prepareSchema(url);
  await client.query('begin');
  try {
    // Whoever appends or opens the store waits for us or makes us fail: never half in the old epoch.
    await client.query('lock table order_center.store_meta in access exclusive mode');
    await client.query(newMeta());
    await client.query('lock table order_center.events in exclusive mode');
    const renumbered = await renumberEvents(client, options);
    const epochs = await beginEpoch(client);
    options.signal.throwIfAborted();
    await client.query('commit');
    return { ...epochs, renumbered };
  } catch (error) {
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}

async function beginEpoch(client: pg.Client): Promise<Pick<Adoption, 'epoch' | 'formerEpoch'>> {
  const meta = await client.query<{ epoch: string }>('select epoch from order_center.store_meta');
  const former = await client.query<{ epoch: string }>('select epoch from order_center.former_epochs');
  const formerEpoch = meta.rows[0]?.epoch;
  if (formerEpoch === undefined) throw new Error('the store has no meta row');
  const epoch = newEpoch([formerEpoch, ...former.rows.map((row) => row.epoch)]);
  await client.query('insert into order_center.former_epochs (epoch) values ($1)', [formerEpoch]);
  await client.query('update order_center.store_meta set epoch = $1', [epoch]);
  return { epoch, formerEpoch };
}

/** Positions carry the first 8 characters, so those must be new as well. */
function newEpoch(known: readonly string[]): string {
  const taken = new Set(known.map((epoch) => epoch.slice(0, 8)));
  for (;;) {
    const epoch = randomUUID();
    if (!taken.has(epoch.slice(0, 8))) return epoch;
  }
}

async function worldly<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof OperationalFailure || (error instanceof Error && error.name === 'AbortError')) throw error;
    if (!['lost', 'again'].includes(troubleOf(error))) throw error;
    throw new OperationalFailure('STORE_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  }
}
