import { isDeepStrictEqual } from 'node:util';
import type { Checkpoint } from '../../event-feed/port.ts';
import type {
  BatchWrite,
  CheckpointMove,
  ColumnValue,
  Document,
  ListQuery,
  Progress,
  ReadStore,
  Row,
  View,
} from '../port.ts';
import { compareColumns, compareText, matches, rowKey } from './rows.ts';

type StoredRow = Row & { readonly claimedUntil: number };
type Rows = Map<string, StoredRow>;

export type MemoryReadStoreOptions = {
  /** Epoch milliseconds; stands for the database's clock. */
  readonly now?: () => number;
};

/** Views in this process, for tests and for a store that forgets: gone when the process ends. */
export function openMemoryReadStore({ now = Date.now }: MemoryReadStoreOptions = {}): ReadStore {
  const tables = new Map<string, { readonly version: number; readonly rows: Rows }>();
  const checkpoints = new Map<string, Checkpoint>();
  const progress = new Map<string, Map<string, Progress>>();

  const rowsOf = (view: View): Rows => tables.get(view.name)?.rows ?? new Map<string, StoredRow>();
  const forget = (view: View): void => {
    tables.set(view.name, { version: view.version, rows: new Map() });
    progress.delete(view.name);
    for (const place of checkpoints.keys()) if (place.startsWith(`${view.name}\n`)) checkpoints.delete(place);
  };
  const tryMove = ({ consumer, partition, from, to }: CheckpointMove): 'committed' | 'moved' => {
    const place = `${consumer}\n${partition}`;
    if ((checkpoints.get(place) ?? null) !== from) return 'moved';
    checkpoints.set(place, to);
    return 'committed';
  };

  return {
    prepare: (views) => {
      for (const view of views) if (tables.get(view.name)?.version !== view.version) forget(view);
      return Promise.resolve();
    },
    loadCheckpoint: (consumer, partition) => Promise.resolve(checkpoints.get(`${consumer}\n${partition}`) ?? null),
    moveCheckpoint: (move) => Promise.resolve(tryMove(move)),
    commit: (batch) =>
      attempt(() => {
        // As in SQL, a column that cannot be made fails the whole batch.
        for (const { document } of batch.documents) if (document !== null) columnsOf(batch.view, document);
        const outcome = tryMove(batch.move);
        if (outcome === 'committed') write(rowsOf(batch.view), progressOf(progress, batch.move.consumer), batch);
        return outcome;
      }),
    find: <D extends Document>(view: View<D>, keys: Parameters<ReadStore['find']>[1]) => {
      const rows = rowsOf(view);
      return Promise.resolve(keys.map((key) => (rows.get(rowKey(key))?.document ?? null) as D | null));
    },
    loadProgress: (consumer, streams) => {
      const known = progressOf(progress, consumer);
      const found = streams.map((stream) => known.get(stream)).filter((each) => each !== undefined);
      return Promise.resolve(new Map(found.map((each) => [each.stream, each])));
    },
    list: (query) => Promise.resolve(listRows(rowsOf(query.view), query)),
    countBy: (view, column) => attempt(() => countRows(rowsOf(view), view, column)),
    scan: (view) => scanRows(rowsOf(view)),
    claimDue: (view, { limit, leaseMs }) => Promise.resolve(claim(view, rowsOf(view), { limit, leaseMs, at: now() })),
    clear: (view) => attempt(() => forget(view)),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function progressOf(progress: Map<string, Map<string, Progress>>, consumer: string): Map<string, Progress> {
  const known = progress.get(consumer) ?? new Map<string, Progress>();
  progress.set(consumer, known);
  return known;
}

/** What work throws becomes a rejection, as of a store that is asked over a wire. */
async function attempt<Result>(work: () => Result): Promise<Result> {
  return Promise.resolve().then(work);
}

function columnsOf(view: View, document: Document): readonly ColumnValue[] {
  return Object.values(view.columns).map((column) => column.of(document));
}

function write(rows: Rows, progress: Map<string, Progress>, batch: BatchWrite): void {
  const due = batch.view.dueColumn === undefined ? undefined : batch.view.columns[batch.view.dueColumn];
  for (const { tenantId, key, document } of batch.documents) {
    const place = rowKey({ tenantId, key });
    const before = rows.get(place);
    if (document === null) {
      rows.delete(place);
      continue;
    }
    const sameDue = before !== undefined && isDeepStrictEqual(due?.of(before.document), due?.of(document));
    rows.set(place, { tenantId, key, document, claimedUntil: sameDue ? before.claimedUntil : 0 });
  }
  for (const each of batch.progress) progress.set(each.stream, each);
}

function listRows<D extends Document>(
  rows: Rows,
  query: ListQuery<D>,
): readonly { readonly key: string; readonly document: D }[] {
  const newestBy = query.view.columns[query.newestBy];
  if (newestBy === undefined) throw new Error(`view ${query.view.name} has no column ${query.newestBy}`);
  const { after } = query;
  const order = (a: Place, b: Place): number =>
    compareColumns(newestBy.type, a.value, b.value) || compareText(a.key, b.key);
  type Place = { readonly value: ReturnType<typeof newestBy.of>; readonly key: string };
  const found = [...rows.values()]
    .map((row) => ({ ...row, document: row.document as D, value: newestBy.of(row.document as D) }))
    .filter((row) => row.tenantId === query.tenantId && row.value !== null)
    .filter((row) => query.filters.every((filter) => matches(query.view, row.document, filter)))
    .filter((row) => after === undefined || order(row, after) < 0)
    .sort((a, b) => order(b, a));
  return found.slice(0, query.limit).map(({ key, document }) => ({ key, document }));
}

function countRows<D extends Document>(rows: Rows, view: View<D>, name: string): ReadonlyMap<string, number> {
  const column = view.columns[name];
  if (column === undefined) throw new Error(`view ${view.name} has no column ${name}`);
  const values = [...rows.values()].map(({ document }) => column.of(document as D)).filter((value) => value !== null);
  return new Map([...Map.groupBy(values, String)].map(([value, group]) => [value, group.length]));
}

async function* scanRows<D extends Document>(rows: Rows): AsyncIterable<Row<D>> {
  const sorted = [...rows.values()].sort((a, b) => compareText(a.tenantId, b.tenantId) || compareText(a.key, b.key));
  for (const { tenantId, key, document } of sorted)
    yield await Promise.resolve({ tenantId, key, document: document as D });
}

function claim<D extends Document>(
  view: View<D>,
  rows: Rows,
  { limit, leaseMs, at }: { readonly limit: number; readonly leaseMs: number; readonly at: number },
): readonly Row<D>[] {
  const due = view.dueColumn === undefined ? undefined : view.columns[view.dueColumn];
  if (due === undefined) throw new Error(`view ${view.name} has no due column`);
  const dueMs = (row: StoredRow): number => Date.parse(String(due.of(row.document as D)));
  const found = [...rows.values()]
    .filter((row) => row.claimedUntil <= at && dueMs(row) <= at)
    .sort((a, b) => dueMs(a) - dueMs(b))
    .slice(0, limit);
  for (const row of found) rows.set(rowKey(row), { ...row, claimedUntil: at + leaseMs });
  return found.map(({ tenantId, key, document }) => ({ tenantId, key, document: document as D }));
}
