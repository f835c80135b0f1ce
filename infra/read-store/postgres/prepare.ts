import type pg from 'pg';
import type { View } from '../port.ts';
import { createStatements, tableOf } from './table.ts';
import { withTransaction } from './transaction.ts';

const bookkeeping = `
  create schema if not exists views;
  create table if not exists views.definitions (view text primary key, version integer not null);
  create table if not exists views.checkpoints (
    consumer text, partition text, position text not null, primary key (consumer, partition));
  create table if not exists views.progress (
    consumer text, stream text collate "C", revision bigint not null, event_id uuid not null,
    primary key (consumer, stream));
  alter table views.checkpoints add column if not exists turn text not null default '';
  create table if not exists views.parked_streams (
    consumer text collate "C", stream text collate "C", tenant_id text not null, first_revision bigint not null,
    first_position text not null, last_revision bigint not null, fingerprint text not null, error text not null,
    since timestamptz not null, attempts integer not null, last_attempt_at timestamptz, state text not null,
    primary key (consumer, stream));
  create table if not exists views.parked_events (
    consumer text collate "C", stream text collate "C", revision bigint, event_id uuid, position text not null,
    type text not null, primary key (consumer, stream, revision, event_id));`;

/** Documents of an earlier layout: docs/decisions/0015 says why they are no jsonb any more. */
const documentsAsWritten = `
  do $$ declare layout record; begin
    for layout in select table_name from information_schema.columns
      where table_schema = 'views' and column_name = 'document' and data_type = 'jsonb'
    loop
      execute format('alter table views.%I alter column document type json using document::text::json', layout.table_name);
    end loop;
  end $$;`;

/** Makes what is missing. One process at a time: `if not exists` alone fails where two run it at the same moment. */
export function prepareViews(pool: pg.Pool, views: readonly View[]): Promise<void> {
  return withTransaction(pool, async (client) => {
    await client.query("select pg_advisory_xact_lock(hashtext('order-center/views'))");
    await client.query(bookkeeping);
    await client.query(documentsAsWritten);
    const stored = await client.query<{ view: string; version: number }>('select view, version from views.definitions');
    const versions = new Map(stored.rows.map(({ view, version }) => [view, version]));
    for (const view of views) if (versions.get(view.name) !== view.version) await makeTable(client, view);
  });
}

/** A view of another version is dropped with its consumer's place: the next run builds it from nothing. */
async function makeTable(client: pg.PoolClient, view: View): Promise<void> {
  await forgetPlace(client, view);
  await client.query(`drop table if exists ${tableOf(view).name}`);
  for (const statement of createStatements(view)) await client.query(statement);
  await client.query(
    'insert into views.definitions values ($1, $2) on conflict (view) do update set version = excluded.version',
    [view.name, view.version],
  );
}

export function clearView(pool: pg.Pool, view: View): Promise<void> {
  return withTransaction(pool, async (client) => {
    await forgetPlace(client, view);
    await client.query(`truncate ${tableOf(view).name}`);
  });
}

/**
 * Every table of the schema but the definitions, which say how the tables are made: what other consumers keep there
 * goes as well. Grants on the tables stay.
 */
export function clearAll(pool: pg.Pool): Promise<void> {
  return withTransaction(pool, async (client) => {
    const tables = await client.query<{ name: string }>(
      `select format('%I.%I', schemaname, tablename) as name from pg_tables
       where schemaname = 'views' and tablename <> 'definitions' order by tablename`,
    );
    if (tables.rows.length > 0) await client.query(`truncate ${tables.rows.map(({ name }) => name).join(', ')}`);
  });
}

/**
 * The lock waits for every commit in flight: one that is about to make the first checkpoint cannot be seen by the
 * delete, and would leave a checkpoint without its rows.
 */
async function forgetPlace(client: pg.PoolClient, view: View): Promise<void> {
  await client.query('lock table views.checkpoints in share row exclusive mode');
  await client.query('delete from views.checkpoints where consumer = $1', [view.name]);
  for (const table of ['progress', 'parked_streams', 'parked_events']) {
    await client.query(`delete from views.${table} where consumer = $1`, [view.name]);
  }
}
