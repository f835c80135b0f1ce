import type pg from 'pg';
import type { BatchWrite, CheckpointMove, Column, ColumnValue, Document, DocumentWrite, Progress } from '../port.ts';
import { ofView } from '../poison-value.ts';
import { saveParking } from './parking-rows.ts';
import { sqlType, tableOf, type Table } from './table.ts';
import { Rollback, withTransaction } from './transaction.ts';

type Outcome = 'committed' | 'moved';
type Upsert = DocumentWrite & { readonly document: Document };

/** Rows, progress and checkpoint of one batch. The checkpoint first: its row's lock is what two owners meet at. */
export function commitBatch(pool: pg.Pool, batch: BatchWrite): Promise<Outcome> {
  const table = tableOf(batch.view);
  return withTransaction<Outcome>(pool, async (client) => {
    if (!(await compareAndSet(client, batch.move))) throw new Rollback<Outcome>('moved');
    await writeDocuments(client, table, batch.documents);
    await saveProgress(client, batch.move.consumer, batch.progress);
    if (batch.parking !== undefined) await saveParking(client, batch.move.consumer, batch.parking);
    return 'committed';
  });
}

export async function writeDocuments(
  client: pg.PoolClient,
  table: Table,
  documents: readonly DocumentWrite[],
): Promise<void> {
  const sorted = [...documents].sort(byKey);
  await upsert(client, table, sorted.filter(isUpsert));
  await remove(
    client,
    table,
    sorted.filter(({ document }) => document === null),
  );
}

export function moveCheckpoint(pool: pg.Pool, move: CheckpointMove): Promise<Outcome> {
  return withTransaction<Outcome>(pool, async (client) => {
    return (await compareAndSet(client, move)) ? 'committed' : 'moved';
  });
}

async function compareAndSet(
  client: pg.PoolClient,
  { consumer, partition, from, to, turn }: CheckpointMove,
): Promise<boolean> {
  const result =
    from === null
      ? await client.query(
          "insert into views.checkpoints values ($1, $2, $3, coalesce($4, '')) on conflict do nothing",
          [...[consumer, partition, to, turn]],
        )
      : await client.query(
          `update views.checkpoints set position = $3 where consumer = $1 and partition = $2 and position = $4
             and turn = coalesce($5, turn)`,
          [consumer, partition, to, from, turn],
        );
  return result.rowCount === 1;
}

/** One statement for all rows, in key order, so that two writers cannot deadlock. */
async function upsert(client: pg.PoolClient, table: Table, rows: readonly Upsert[]): Promise<void> {
  if (rows.length === 0) return;
  const columns = table.columns.map(([name]) => name);
  const inserted = ['tenant_id', 'key', 'document', ...columns];
  const types = ['text[]', 'text[]', 'text[]', ...table.columns.map(([, column]) => unnested(column))];
  const taken = ['tenant_id', 'key', 'document::jsonb', ...table.columns.map(([name, column]) => cast(name, column))];
  const updated = ['document', ...columns].map((name) => `${name} = excluded.${name}`);
  const text = `
    insert into ${table.name} as stored (${inserted.join(', ')})
    select ${taken.join(', ')} from unnest(${types.map((type, index) => `$${index + 1}::${type}`).join(', ')})
      as given (${inserted.join(', ')})
    on conflict (tenant_id, key) do update set ${[...updated, ...keptClaim(table)].join(', ')}`;
  await client.query(text, [
    rows.map(({ tenantId }) => tenantId),
    rows.map(({ key }) => key),
    ...ofView(table.name, () => [
      rows.map(({ document }) => JSON.stringify(document)),
      ...table.columns.map(([, column]) => rows.map(({ document }) => toParameter(column.of(document)))),
    ]),
  ]);
}

/** A row that is due as before stays claimed; one that moved can be claimed anew. */
function keptClaim({ dueColumn }: Table): readonly string[] {
  if (dueColumn === null) return [];
  const moved = `stored.${dueColumn} is distinct from excluded.${dueColumn}`;
  return [`claimed_until = case when ${moved} then null else stored.claimed_until end`];
}

/** Arrays of different lengths do not make one array of arrays: each travels as its own text. */
function unnested(column: Column): string {
  return column.type === 'text[]' ? 'text[]' : `${column.type}[]`;
}

function cast(name: string, column: Column): string {
  return column.type === 'text[]' ? `${name}::text[]` : `${name}::${sqlType(column)}`;
}

function toParameter(value: ColumnValue): string | number | null {
  if (value === null || typeof value === 'string' || typeof value === 'number') return value;
  const quoted = value.map((item) => `"${item.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`);
  return `{${quoted.join(',')}}`;
}

async function remove(client: pg.PoolClient, table: Table, rows: readonly DocumentWrite[]): Promise<void> {
  if (rows.length === 0) return;
  await client.query(
    `delete from ${table.name} using unnest($1::text[], $2::text[]) as given (tenant_id, key)
     where ${table.name}.tenant_id = given.tenant_id and ${table.name}.key = given.key`,
    [rows.map(({ tenantId }) => tenantId), rows.map(({ key }) => key)],
  );
}

export async function saveProgress(
  client: pg.PoolClient,
  consumer: string,
  progress: readonly Progress[],
): Promise<void> {
  if (progress.length === 0) return;
  const sorted = [...progress].sort((a, b) => (a.stream < b.stream ? -1 : 1));
  await client.query(
    `insert into views.progress (consumer, stream, revision, event_id)
     select $1, given.* from unnest($2::text[], $3::bigint[], $4::uuid[]) as given
     on conflict (consumer, stream) do update set revision = excluded.revision, event_id = excluded.event_id`,
    [
      consumer,
      sorted.map(({ stream }) => stream),
      sorted.map(({ revision }) => revision),
      sorted.map(({ eventId }) => eventId),
    ],
  );
}

function isUpsert(write: DocumentWrite): write is Upsert {
  return write.document !== null;
}

function byKey(a: DocumentWrite, b: DocumentWrite): number {
  if (a.tenantId !== b.tenantId) return a.tenantId < b.tenantId ? -1 : 1;
  return a.key < b.key ? -1 : 1;
}
