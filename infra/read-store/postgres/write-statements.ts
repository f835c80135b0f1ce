import * as arrays from '../../postgres/binary-arrays.ts';
import { holdsUnstorableText } from '../../unstorable-text.ts';
import { ofView } from '../poison-value.ts';
import type { Column, ColumnValue, Document, DocumentKey, DocumentWrite, Progress } from '../port.ts';
import { sqlType, type Table } from './table.ts';

/** One write of a batch: a statement of its own, or one part of a greater one. */
export type WriteStatement = { readonly text: string; readonly values: readonly unknown[] };

/** Where a write stands in a statement: its first parameter, and the condition under which it is made. */
export type Place = { readonly first: number; readonly when: string };

export const alone: Place = { first: 1, when: 'true' };

type Upsert = DocumentWrite & { readonly document: Document };

/** Rows in key order, so that two writers cannot deadlock; documents as text, which is what readers send. */
export function upsertOf(table: Table, rows: readonly Upsert[], { first, when }: Place): WriteStatement {
  const columns = table.columns.map(([name]) => name);
  const inserted = ['tenant_id', 'key', 'document', ...columns];
  const types = ['text[]', 'text[]', 'json[]', ...table.columns.map(([, column]) => unnested(column))];
  const taken = ['tenant_id', 'key', 'document', ...table.columns.map(([name, column]) => cast(name, column))];
  const updated = ['document', ...columns].map((name) => `${name} = excluded.${name}`);
  const text = `
    insert into ${table.name} as stored (${inserted.join(', ')})
    select ${taken.join(', ')} from unnest(${types.map((type, index) => `$${first + index}::${type}`).join(', ')})
      as given (${inserted.join(', ')}) where ${when}
    on conflict (tenant_id, key) do update set ${[...updated, ...keptClaim(table)].join(', ')}`;
  const sorted = rows.toSorted(byKey);
  const values = ofView(table.name, () => [
    arrays.jsonArray(sorted.map(({ document }) => jsonOf(document))),
    ...table.columns.map(([, column]) =>
      columnArray(
        column,
        sorted.map(({ document }) => column.of(document)),
      ),
    ),
  ]);
  return { text, values: [...keyArrays(sorted), ...values] };
}

export function deleteOf(table: Table, keys: readonly DocumentKey[], { first, when }: Place): WriteStatement {
  const text = `
    delete from ${table.name} as stored using unnest($${first}::text[], $${first + 1}::text[]) as given (tenant_id, key)
    where stored.tenant_id = given.tenant_id and stored.key = given.key and ${when}`;
  return { text, values: keyArrays(keys.toSorted(byKey)) };
}

export function progressOf(consumer: string, progress: readonly Progress[], place: Place): WriteStatement {
  const { text, values } = begunOf(consumer, progress, place);
  const update = 'do update set revision = excluded.revision, event_id = excluded.event_id';
  return { text: `${text} on conflict (consumer, stream) ${update}`, values };
}

/** Progress of streams that begin: one that is there already fails the statement. */
export function begunOf(consumer: string, progress: readonly Progress[], { first, when }: Place): WriteStatement {
  const sorted = progress.toSorted((a, b) => (a.stream < b.stream ? -1 : 1));
  const text = `
    insert into views.progress (consumer, stream, revision, event_id)
    select $${first}::text, given.* from unnest($${first + 1}::text[], $${first + 2}::int8[], $${first + 3}::uuid[]) as given
    where ${when}`;
  const values = [
    consumer,
    arrays.textArray(sorted.map(({ stream }) => stream)),
    arrays.int8Array(sorted.map(({ revision }) => revision)),
    arrays.uuidArray(sorted.map(({ eventId }) => eventId)),
  ];
  return { text, values };
}

export function isUpsert(write: DocumentWrite): write is Upsert {
  return write.document !== null;
}

function jsonOf(document: Document): string {
  const json = JSON.stringify(document);
  if (holdsUnstorableText(json)) throw new Error('NUL or half a surrogate pair');
  return json;
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

function keyArrays(keys: readonly DocumentKey[]): readonly Buffer[] {
  return [arrays.textArray(keys.map(({ tenantId }) => tenantId)), arrays.textArray(keys.map(({ key }) => key))];
}

/** Binary, as an append's: a driver's literals of arrays are parsed again, letter by letter. */
function columnArray({ type }: Column, values: readonly ColumnValue[]): Buffer {
  switch (type) {
    case 'text':
      return arrays.textArray(values.map((value) => (value === null ? null : String(value))));
    case 'bigint':
      return arrays.int8Array(values.map((value) => (value === null ? null : Number(value))));
    case 'timestamptz':
      return arrays.timestamptzArray(values.map((value) => (value === null ? null : timeOf(String(value)))));
    case 'text[]':
      return arrays.textArray(values.map((value) => (Array.isArray(value) ? literalOf(value) : null)));
  }
}

function timeOf(text: string): number {
  const ms = Date.parse(text);
  if (Number.isNaN(ms)) throw new Error('no time');
  return ms;
}

function literalOf(items: readonly unknown[]): string {
  return `{${items.map((item) => `"${String(item).replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`).join(',')}}`;
}

function byKey(a: DocumentKey, b: DocumentKey): number {
  if (a.tenantId !== b.tenantId) return a.tenantId < b.tenantId ? -1 : 1;
  return a.key < b.key ? -1 : Number(a.key > b.key);
}
