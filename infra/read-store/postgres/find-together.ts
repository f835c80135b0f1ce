import type pg from 'pg';
import type { Document, DocumentKey, View } from '../port.ts';
import { tableOf } from './table.ts';
import { query } from './transaction.ts';

/** Keys of one statement. */
const keysMax = 1_000;

type Found = { readonly tenant_id: string; readonly key: string; readonly document: Document };
type Waiting = {
  readonly keys: readonly DocumentKey[];
  readonly resolve: (documents: readonly (Document | null)[]) => void;
  readonly reject: (error: unknown) => void;
};
type Find = (view: View, keys: readonly DocumentKey[]) => Promise<readonly (Document | null)[]>;

/** Answers the calls of one turn of the event loop with one statement a view: a thousand readers are one query. */
export function findTogether(pool: pg.Pool): Find {
  const waiting = new Map<View, Waiting[]>();
  const send = (): void => {
    const turn = [...waiting];
    waiting.clear();
    for (const [view, calls] of turn) void answer(pool, view, calls);
  };
  return (view, keys) =>
    new Promise((resolve, reject) => {
      if (waiting.size === 0) setImmediate(send);
      const calls = waiting.get(view) ?? [];
      waiting.set(view, calls);
      calls.push({ keys, resolve, reject });
    });
}

async function answer(pool: pg.Pool, view: View, calls: readonly Waiting[]): Promise<void> {
  try {
    const wanted = new Map(calls.flatMap(({ keys }) => keys).map((key) => [placeOf(key), key]));
    const found = await findAll(pool, view, [...wanted.values()]);
    for (const { keys, resolve } of calls) resolve(keys.map((key) => found.get(placeOf(key)) ?? null));
  } catch (error) {
    for (const { reject } of calls) reject(error);
  }
}

async function findAll(
  pool: pg.Pool,
  view: View,
  keys: readonly DocumentKey[],
): Promise<ReadonlyMap<string, Document>> {
  const found = new Map<string, Document>();
  for (let start = 0; start < keys.length; start += keysMax) {
    const part = keys.slice(start, start + keysMax);
    const rows = await query<Found>(
      pool,
      `select tenant_id, key, document from ${tableOf(view).name}
       where (tenant_id, key) = any (select * from unnest($1::text[], $2::text[]))`,
      [part.map(({ tenantId }) => tenantId), part.map(({ key }) => key)],
    );
    for (const row of rows) found.set(`${row.tenant_id}\n${row.key}`, row.document);
  }
  return found;
}

function placeOf({ tenantId, key }: DocumentKey): string {
  return `${tenantId}\n${key}`;
}
