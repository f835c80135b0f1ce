import { randomUUID } from 'node:crypto';
import type { ParkingStore } from '../parking.ts';
import type {
  DocumentKey,
  Document,
  Filter,
  ListQuery,
  Place,
  Progress,
  ReadStore,
  Row,
  StoredCheckpoint,
  View,
} from '../port.ts';
import { compareColumns, compareText, matches, rowKey } from './rows.ts';
import {
  check,
  checkpointPlace,
  commitTo,
  emptyTables,
  findIn,
  forget,
  forgetAll,
  mendIn,
  moveAndPark,
  progressOf,
  rowsOf,
  tryForget,
  type Rows,
  type StoredRow,
  type Tables,
} from './tables.ts';

export type MemoryReadStoreOptions = {
  /** Epoch milliseconds; stands for the database's clock. */
  readonly now?: () => number;
};

/** Views in this process, for tests and for a store that forgets: gone when the process ends. */
export function openMemoryReadStore({ now = Date.now }: MemoryReadStoreOptions = {}): ReadStore {
  const tables = emptyTables();
  return {
    prepare: (views) =>
      attempt(() => {
        for (const view of views) if (tables.views.get(view.name)?.version !== view.version) forget(tables, view);
      }),
    loadCheckpoint: async (consumer, partition) => (await loadPlace(tables, consumer, partition)).checkpoint,
    loadPlace: (consumer, partition) => loadPlace(tables, consumer, partition),
    moveCheckpoint: (move, parking) => attempt(() => moveAndPark(tables, move, parking)),
    forgetCheckpoint: (place) => attempt(() => tryForget(tables, place)),
    commit: (batch) => attempt(() => commitTo(tables, batch)),
    probe: (view, documents) => attempt(() => check(view, documents)),
    find: <D extends Document>(view: View<D>, keys: readonly DocumentKey[]) =>
      attempt(() => findIn(tables, view, keys) as readonly (D | null)[]),
    loadProgress: (consumer, streams) =>
      attempt(() => {
        const known = progressOf(tables, consumer);
        const found = streams.map((stream) => known.get(stream)).filter((each) => each !== undefined);
        return new Map(found.map((each) => [each.stream, each]));
      }),
    list: (query) => attempt(() => listRows(rowsOf(tables, query.view), query)),
    countBy: (view, column) => attempt(() => countRows(rowsOf(tables, view), view, column)),
    scan: (view, filter) => scanRows(view, rowsOf(tables, view), filter),
    claimDue: (view, { limit, leaseMs }) =>
      attempt(() => claim(view, rowsOf(tables, view), { limit, leaseMs, at: now() })),
    clear: (view) => attempt(() => forget(tables, view)),
    ...openStandings(tables),
    parking: openParking(tables),
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Where consumers stand, whatever their view. */
function openStandings(tables: Tables): Pick<ReadStore, 'checkpoints' | 'scanProgress' | 'clearAll'> {
  return {
    checkpoints: () => attempt(() => storedCheckpoints(tables)),
    scanProgress: (consumer) => scanProgress(progressOf(tables, consumer)),
    clearAll: () => attempt(() => forgetAll(tables)),
  };
}

function storedCheckpoints({ checkpoints }: Tables): readonly StoredCheckpoint[] {
  const stored = [...checkpoints].map(([place, { position }]) => {
    const [consumer = '', partition = ''] = place.split('\n');
    return { consumer, partition, position };
  });
  return stored.sort((a, b) => compareText(a.consumer, b.consumer) || compareText(a.partition, b.partition));
}

async function* scanProgress(progress: ReadonlyMap<string, Progress>): AsyncIterable<Progress> {
  const sorted = [...progress.values()].sort((a, b) => compareText(a.stream, b.stream));
  for (const each of sorted) yield await Promise.resolve(each);
}

function openParking(tables: Tables): ParkingStore {
  const { parked } = tables;
  return {
    streams: (consumer) => attempt(() => parked.streams(consumer)),
    groups: () => attempt(() => parked.groups()),
    list: (page) => attempt(() => parked.list(page)),
    events: (consumer, stream, limit) => attempt(() => parked.events(consumer, stream).slice(0, limit)),
    mend: (mending) => attempt(() => mendIn(tables, mending)),
  };
}

/** What work throws becomes a rejection, as of a store that is asked over a wire. */
async function attempt<Result>(work: () => Result): Promise<Result> {
  return Promise.resolve().then(work);
}

function loadPlace({ checkpoints, parked }: Tables, consumer: string, partition: string): Promise<Place> {
  const { position = null, turn = randomUUID() } = checkpoints.get(checkpointPlace(consumer, partition)) ?? {};
  return Promise.resolve({ checkpoint: position, turn, parked: parked.streams(consumer) });
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

async function* scanRows<D extends Document>(view: View<D>, rows: Rows, filter?: Filter): AsyncIterable<Row<D>> {
  const sorted = [...rows.values()].sort((a, b) => compareText(a.tenantId, b.tenantId) || compareText(a.key, b.key));
  for (const { tenantId, key, document } of sorted) {
    if (filter !== undefined && !matches(view, document as D, filter)) continue;
    yield await Promise.resolve({ tenantId, key, document: document as D });
  }
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
