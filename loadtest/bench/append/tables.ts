import { finished } from 'node:stream/promises';
import type pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

import {
  appendParameters,
  appendStatement,
  type AppendRow,
} from '../../../infra/event-store/postgres/append-statement.ts';
import { categoryOf } from '../../../schemas/ids.ts';
import { appendOf, type Placement } from './placements.ts';

/** The store's own table, and its copies with fewer unique keys. */
export const tables = {
  store: 'order_center.events',
  /** Primary key and (stream, revision): what any event table needs. */
  twoKeys: 'bench.two_keys',
  /** Also the command key and the claim key. */
  allKeys: 'bench.all_keys',
} as const;

/** Rows already on the server, for the insert without a client. */
const staged = 'bench.staged';

const columns = [
  ...['ord', 'stream', 'revision', 'event_id', 'type', 'schema_version', 'category', 'tenant', 'command_id', 'n'],
  ...['command_hash', 'claim', 'occurred_at', 'origin', 'correlation_id', 'causation_id', 'data'],
].join(', ');

/** Autovacuum is off on all of them alike: a leg takes seconds, and one in a few would meet it. */
export async function makeTables(client: pg.Client): Promise<void> {
  await client.query(`
    create schema bench;
    create table ${tables.twoKeys} (like ${tables.store} including defaults, primary key (tx, ord), unique (stream, revision));
    create table ${tables.allKeys} (like ${tables.store} including defaults including indexes);
    create unlogged table ${staged} (like ${tables.store} including defaults);
    alter table ${tables.store} set (autovacuum_enabled = off);
    alter table ${tables.twoKeys} set (autovacuum_enabled = off);
    alter table ${tables.allKeys} set (autovacuum_enabled = off)`);
}

/** Empty tables and a fresh checkpoint: each leg begins alike. */
export async function emptyTables(client: pg.Client): Promise<void> {
  await client.query(`truncate ${Object.values(tables).join(', ')}`);
  await client.query('checkpoint');
}

export async function countRows(client: pg.Client): Promise<number> {
  const counts = Object.values(tables).map((table) => `(select count(*)::int from ${table})`);
  const { rows } = await client.query<{ count: number }>(`select ${counts.join(' + ')} as count`);
  return rows[0]?.count ?? 0;
}

/** One COPY in text format, in one transaction: what a restore would do. */
export async function copyInto(client: pg.Client, table: string, text: readonly Buffer[]): Promise<void> {
  const stream = client.query(copyFrom(`copy ${table} (${columns}) from stdin`));
  for (const chunk of text) {
    if (!stream.write(chunk)) await new Promise<void>((resolve) => void stream.once('drain', resolve));
  }
  stream.end();
  await finished(stream);
}

export async function stage(client: pg.Client, text: readonly Buffer[]): Promise<void> {
  await client.query(`truncate ${staged}`);
  await copyInto(client, staged, text);
  await client.query(`create unique index if not exists staged_ord on ${staged} (ord)`);
  await client.query(`analyze ${staged}`);
}

export async function insertStaged(
  client: pg.Client,
  range: { readonly from: number; readonly to: number },
): Promise<void> {
  await client.query({
    name: 'insert-staged',
    text: `insert into ${tables.twoKeys} (${columns}) select ${columns} from ${staged} where ord >= $1 and ord < $2`,
    values: [range.from, range.to],
  });
}

/** The store's statement without its guards: the same arrays, unnested into a table. */
export async function insertPlain(client: pg.Client, table: string, rows: readonly AppendRow[]): Promise<void> {
  await client.query({
    name: `plain ${table}`,
    text: `insert into ${table} (${columns})
      select ord, stream, revision, event_id, type, schema_version, category, tenant, command_id, n, command_hash, claim,
        case when occurred_at = 'infinity' then date_trunc('milliseconds', now()) else occurred_at end,
        origin, correlation_id, causation_id, data
      from unnest(
        $1::int4[], $2::text[], $3::int8[], $4::uuid[], $5::text[], $6::int4[], $7::text[], $8::text[], $9::text[], $10::int4[],
        $11::bytea[], $12::text[], $13::timestamptz[], $14::text[], $15::text[], $16::uuid[], $17::json[], $18::bool[]
      ) as r (${columns}, continues)`,
    values: appendParameters(rows),
  });
}

/** The store's own statement, on a connection of ours. */
export async function insertGuarded(client: pg.Client, rows: readonly AppendRow[]): Promise<void> {
  await client.query({ ...appendStatement, values: appendParameters(rows) });
}

export function rowOf(placement: Placement): AppendRow {
  const append = appendOf(placement);
  const json = append.events.map(({ data }) => JSON.stringify(data));
  return { append, json, bytes: json.reduce((sum, text) => sum + Buffer.byteLength(text), 0) };
}

export const chunkRows = 100;

/** COPY's text format, ready to send, some 70 kB a chunk: the limit does not wait for its client's encoding. */
export function copyText(placements: readonly Placement[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  for (let from = 0; from < placements.length; from += chunkRows) {
    const lines = placements.slice(from, from + chunkRows).map((placement, index) => copyLine(placement, from + index));
    chunks.push(Buffer.from(lines.join('')));
  }
  return chunks;
}

function copyLine(placement: Placement, ord: number): string {
  const { append, json } = rowOf(placement);
  const { stream, tenantId, commandId, commandHash, origin, correlationId } = append;
  const [event] = append.events;
  if (event === undefined) throw new Error('a placement without an event');
  const fields = [
    ...[ord, stream, 0, event.eventId, event.type, event.schemaVersion, categoryOf(stream), tenantId, commandId, 0],
    ...[`\\x${commandHash}`, null, new Date().toISOString(), origin, correlationId, null, json[0] ?? ''],
  ];
  return `${fields.map((field) => (field === null ? '\\N' : escape(String(field)))).join('\t')}\n`;
}

function escape(field: string): string {
  return field.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n');
}
