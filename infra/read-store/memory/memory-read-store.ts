import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Checkpoint } from '../../event-feed/port.ts';
import type {
  BatchWrite,
  CheckpointMove,
  Document,
  DocumentKey,
  DocumentWrite,
  ListQuery,
  Progress,
  ReadStore,
  Row,
  StoredCheckpoint,
  View,
} from '../port.ts';
import type { Mending } from '../parking.ts';
import { ofView } from '../poison-value.ts';
import { openParkedRows } from './parked-rows.ts';
import { compareColumns, compareText, matches, rowKey } from './rows.ts';

type StoredRow = Row & { readonly claimedUntil: number };
type Rows = Map<string, StoredRow>;
/** By consumer and partition. */
type Checkpoints = Map<string, { readonly position: Checkpoint; readonly turn: string }>;

export type MemoryReadStoreOptions = {
  /** Epoch milliseconds; stands for the database's clock. */
  readonly now?: () => number;
};

/** Views in this process, for tests and for a store that forgets: gone when the process ends. */
export function openMemoryReadStore({ now = Date.now }: MemoryReadStoreOptions = {}): ReadStore {
  const tables = new Map<string, { readonly version: number; readonly rows: Rows }>();
  const checkpoints: Checkpoints = new Map();
  const progress = new Map<string, Map<string, Progress>>();
  const parked = openParkedRows();

  const rowsOf = (view: View): Rows => tables.get(view.name)?.rows ?? new Map<string, StoredRow>();
  const forget = (view: View): void => {
    tables.set(view.name, { version: view.version, rows: new Map() });
    progress.delete(view.name);
    parked.forget(view.name);
    for (const place of checkpoints.keys()) if (place.startsWith(`${view.name}\n`)) checkpoints.delete(place);
  };
  const tryMove = ({ consumer, partition, from, to, turn }: CheckpointMove): 'committed' | 'moved' => {
    const place = `${consumer}\n${partition}`;
    const stored = checkpoints.get(place);
    if ((stored?.position ?? null) !== from) return 'moved';
    if (stored !== undefined && turn !== undefined && stored.turn !== turn) return 'moved';
    checkpoints.set(place, { position: to, turn: stored?.turn ?? turn ?? '' });
    return 'committed';
  };
  const takeTurn = (consumer: string): void => {
    for (const [place, { position }] of checkpoints) {
      if (place.startsWith(`${consumer}\n`)) checkpoints.set(place, { position, turn: randomUUID() });
    }
  };
  const find = (view: View, keys: readonly DocumentKey[]): readonly (Document | null)[] => {
    const rows = rowsOf(view);
    return keys.map((key) => rows.get(rowKey(key))?.document ?? null);
  };
  const mend = <Answer>({ view, stream, keys, fold }: Mending<Answer>): Answer => {
    const known = progressOf(progress, view.name);
    const held = { parked: parked.get(view.name, stream), progress: known.get(stream) ?? null };
    const { answer, mended } = fold({ ...held, documents: find(view, keys) });
    if (mended === null) return answer;
    check(view, mended.documents);
    takeTurn(view.name);
    write(rowsOf(view), known, { view, ...mended, progress: mended.progress === null ? [] : [mended.progress] });
    parked.mended(view.name, stream, mended.parked);
    return answer;
  };

  return {
    prepare: (views) => {
      for (const view of views) if (tables.get(view.name)?.version !== view.version) forget(view);
      return Promise.resolve();
    },
    ...standings({ tables, checkpoints, progress, parked }),
    moveCheckpoint: (move) => Promise.resolve(tryMove(move)),
    commit: (batch) =>
      attempt(() => {
        // As in SQL, a column that cannot be made fails the whole batch.
        check(batch.view, batch.documents);
        const outcome = tryMove(batch.move);
        if (outcome === 'moved') return outcome;
        write(rowsOf(batch.view), progressOf(progress, batch.move.consumer), batch);
        if (batch.parking !== undefined) parked.save(batch.move.consumer, batch.parking);
        return outcome;
      }),
    probe: (view, documents) => attempt(() => check(view, documents)),
    find: <D extends Document>(view: View<D>, keys: readonly DocumentKey[]) =>
      Promise.resolve(find(view, keys) as readonly (D | null)[]),
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
    parking: {
      streams: (consumer) => Promise.resolve(parked.streams(consumer)),
      groups: () => Promise.resolve(parked.groups()),
      list: (page) => Promise.resolve(parked.list(page)),
      events: (consumer, stream, limit) => Promise.resolve(parked.events(consumer, stream).slice(0, limit)),
      mend: (mending) => attempt(() => mend(mending)),
    },
    ping: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function progressOf(progress: Map<string, Map<string, Progress>>, consumer: string): Map<string, Progress> {
  const known = progress.get(consumer) ?? new Map<string, Progress>();
  progress.set(consumer, known);
  return known;
}

type Kept = {
  readonly tables: ReadonlyMap<string, { readonly rows: Rows }>;
  readonly checkpoints: Checkpoints;
  readonly progress: Map<string, Map<string, Progress>>;
  readonly parked: ReturnType<typeof openParkedRows>;
};
type Standings = Pick<ReadStore, 'loadCheckpoint' | 'loadPlace' | 'checkpoints' | 'scanProgress' | 'clearAll'>;

/** Where consumers stand, whatever their view. */
function standings({ tables, checkpoints, progress, parked }: Kept): Standings {
  return {
    loadCheckpoint: (consumer, partition) =>
      Promise.resolve(checkpoints.get(`${consumer}\n${partition}`)?.position ?? null),
    loadPlace: (consumer, partition) => {
      const { position = null, turn = randomUUID() } = checkpoints.get(`${consumer}\n${partition}`) ?? {};
      return Promise.resolve({ checkpoint: position, turn, parked: parked.streams(consumer) });
    },
    checkpoints: () => Promise.resolve(storedCheckpoints(checkpoints)),
    scanProgress: (consumer) => scanProgress(progressOf(progress, consumer)),
    clearAll: () => {
      for (const [view, { rows }] of tables) {
        rows.clear();
        parked.forget(view);
      }
      progress.clear();
      checkpoints.clear();
      return Promise.resolve();
    },
  };
}

function storedCheckpoints(checkpoints: Checkpoints): readonly StoredCheckpoint[] {
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

/** What work throws becomes a rejection, as of a store that is asked over a wire. */
async function attempt<Result>(work: () => Result): Promise<Result> {
  return Promise.resolve().then(work);
}

function check(view: View, documents: readonly DocumentWrite[]): void {
  ofView(view.name, () => {
    for (const { document } of documents)
      if (document !== null) for (const column of Object.values(view.columns)) column.of(document);
  });
}

type Write = Pick<BatchWrite, 'view' | 'documents' | 'progress'>;

function write(rows: Rows, progress: Map<string, Progress>, batch: Write): void {
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
