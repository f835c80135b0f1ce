import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { Checkpoint } from '../../event-feed/port.ts';
import type { StreamName } from '../../../schemas/ids.ts';
import type { Mending, Parking } from '../parking.ts';
import { ofView } from '../poison-value.ts';
import type {
  BatchWrite,
  CheckpointMove,
  CommitOutcome,
  Document,
  DocumentKey,
  DocumentWrite,
  Progress,
  Row,
  StoredCheckpointPlace,
  View,
} from '../port.ts';
import { openParkedRows, type ParkedRows } from './parked-rows.ts';
import { rowKey } from './rows.ts';

export type StoredRow = Row & { readonly claimedUntil: number };
export type Rows = Map<string, StoredRow>;

/** Everything that a read store in memory holds. */
export type Tables = {
  readonly views: Map<string, { readonly version: number; readonly rows: Rows }>;
  /** By consumer and partition. */
  readonly checkpoints: Map<string, { readonly position: Checkpoint; readonly turn: string }>;
  readonly progress: Map<string, Map<StreamName, Progress>>;
  readonly parked: ParkedRows;
};

export function emptyTables(): Tables {
  return { views: new Map(), checkpoints: new Map(), progress: new Map(), parked: openParkedRows() };
}

export function rowsOf({ views }: Tables, view: View): Rows {
  return views.get(view.name)?.rows ?? new Map<string, StoredRow>();
}

export function progressOf({ progress }: Tables, consumer: string): Map<StreamName, Progress> {
  const known = progress.get(consumer) ?? new Map<StreamName, Progress>();
  progress.set(consumer, known);
  return known;
}

export function findIn(tables: Tables, view: View, keys: readonly DocumentKey[]): readonly (Document | null)[] {
  const rows = rowsOf(tables, view);
  return keys.map((key) => rows.get(rowKey(key))?.document ?? null);
}

/** A view without rows, and its consumer without a past. */
export function forget({ views, checkpoints, progress, parked }: Tables, view: View): void {
  views.set(view.name, { version: view.version, rows: new Map() });
  progress.delete(view.name);
  parked.forget(view.name);
  for (const place of checkpoints.keys()) if (place.startsWith(`${view.name}\n`)) checkpoints.delete(place);
}

/** All of it, of every consumer. */
export function forgetAll({ views, checkpoints, progress, parked }: Tables): void {
  for (const { rows } of views.values()) rows.clear();
  parked.forgetAll();
  progress.clear();
  checkpoints.clear();
}

export function checkpointPlace(consumer: string, partition: string): string {
  return `${consumer}\n${partition}`;
}

function tryMove({ checkpoints }: Tables, move: CheckpointMove): 'committed' | 'moved';
function tryMove({ checkpoints }: Tables, move: CheckpointMove, mayMove: () => boolean): CommitOutcome;
function tryMove({ checkpoints }: Tables, move: CheckpointMove, mayMove = () => true): CommitOutcome {
  const { consumer, partition, from, to, turn } = move;
  const place = checkpointPlace(consumer, partition);
  const stored = checkpoints.get(place);
  if ((stored?.position ?? null) !== from) return 'moved';
  if (stored !== undefined && turn !== undefined && stored.turn !== turn) return 'moved';
  if (!mayMove()) return 'seen';
  checkpoints.set(place, { position: to, turn: stored?.turn ?? turn ?? '' });
  return 'committed';
}

export function tryForget({ checkpoints }: Tables, place: StoredCheckpointPlace): 'committed' | 'moved' {
  const name = checkpointPlace(place.consumer, place.partition);
  if (checkpoints.get(name)?.position !== place.from) return 'moved';
  checkpoints.delete(name);
  return 'committed';
}

export function moveAndPark(tables: Tables, move: CheckpointMove, parking?: Parking): 'committed' | 'moved' {
  const outcome = tryMove(tables, move);
  if (outcome === 'committed' && parking !== undefined) tables.parked.save(move.consumer, parking);
  return outcome;
}

export function commitTo(tables: Tables, batch: BatchWrite): CommitOutcome {
  // As in SQL, a column that cannot be made fails the whole batch.
  check(batch.view, batch.documents);
  const { begun = [], progress } = batch;
  const known = progressOf(tables, batch.move.consumer);
  const outcome = tryMove(tables, batch.move, () => !begun.some(({ stream }) => known.has(stream)));
  if (outcome !== 'committed') return outcome;
  write(rowsOf(tables, batch.view), known, { ...batch, progress: [...progress, ...begun] });
  if (batch.parking !== undefined) tables.parked.save(batch.move.consumer, batch.parking);
  return outcome;
}

export function mendIn<Answer>(tables: Tables, mending: Mending<Answer>): Answer {
  const { view, stream, keys } = mending;
  const known = progressOf(tables, view.name);
  const held = { parked: tables.parked.get(view.name, stream), progress: known.get(stream) ?? null };
  const { answer, mended } = mending.fold({ ...held, documents: findIn(tables, view, keys) });
  if (mended === null) return answer;
  check(view, mended.documents);
  takeTurn(tables, view.name);
  const progress = mended.progress === null ? [] : [mended.progress];
  write(rowsOf(tables, view), known, { view, documents: mended.documents, progress });
  tables.parked.mended(view.name, stream, mended.parked);
  return answer;
}

/** @throws OperationalFailure POISON_VALUE */
export function check(view: View, documents: readonly DocumentWrite[]): void {
  ofView(view.name, () => {
    for (const { document } of documents)
      if (document !== null) for (const column of Object.values(view.columns)) column.of(document);
  });
}

function takeTurn({ checkpoints }: Tables, consumer: string): void {
  for (const [place, { position }] of checkpoints) {
    if (place.startsWith(`${consumer}\n`)) checkpoints.set(place, { position, turn: randomUUID() });
  }
}

type Write = Pick<BatchWrite, 'view' | 'documents' | 'progress'>;

function write(rows: Rows, progress: Map<StreamName, Progress>, { view, documents, progress: moved }: Write): void {
  const due = view.dueColumn === undefined ? undefined : view.columns[view.dueColumn];
  for (const { tenantId, key, document } of documents) {
    const place = rowKey({ tenantId, key });
    const before = rows.get(place);
    if (document === null) {
      rows.delete(place);
      continue;
    }
    const sameDue = before !== undefined && isDeepStrictEqual(due?.of(before.document), due?.of(document));
    rows.set(place, { tenantId, key, document, claimedUntil: sameDue ? before.claimedUntil : 0 });
  }
  for (const each of moved) progress.set(each.stream, each);
}
