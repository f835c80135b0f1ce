import pg from 'pg';
import type {
  BatchWrite,
  CheckpointMove,
  CommitOutcome,
  DocumentWrite,
  Progress,
  StoredCheckpointPlace,
} from '../port.ts';
import type { Parking } from '../parking.ts';
import { saveParking } from './parking-rows.ts';
import { tableOf, type Table } from './table.ts';
import { query, Rollback, withTransaction } from './transaction.ts';
import { alone, begunOf, deleteOf, isUpsert, progressOf, upsertOf, type WriteStatement } from './write-statements.ts';

type Outcome = 'committed' | 'moved';

/**
 * Rows, progress and checkpoint of one batch, in one statement: a begin, a commit and a round trip each would cost a
 * small batch more than its rows, and a process that stops in the middle would hold the checkpoint's lock. What is
 * parked is rare, and follows in a transaction.
 */
export async function commitBatch(pool: pg.Pool, batch: BatchWrite): Promise<CommitOutcome> {
  try {
    return await commitAtOnce(pool, batch);
  } catch (error) {
    if (isSeen(error)) return 'seen';
    throw error;
  }
}

/** Progress of a stream that was said to begin: its insert, alone of all here, has no answer to a conflict. */
function isSeen(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === '23505' && error.constraint === 'progress_pkey';
}

async function commitAtOnce(pool: pg.Pool, batch: BatchWrite): Promise<Outcome> {
  return commitParking(pool, commitStatement(batch), batch);
}

type Parked = Pick<BatchWrite, 'move'> & { readonly parking?: Parking | undefined };

async function commitParking(pool: pg.Pool, statement: WriteStatement, { move, parking }: Parked): Promise<Outcome> {
  if (parking === undefined) {
    const [row] = await query<MovedRow>(pool, statement);
    return outcomeOf(row);
  }
  return withTransaction<Outcome>(pool, async (client) => {
    const { rows } = await client.query<MovedRow>({ ...statement, values: [...statement.values] });
    if (outcomeOf(rows[0]) === 'moved') throw new Rollback<Outcome>('moved');
    await saveParking(client, move.consumer, parking);
    return 'committed';
  });
}

export async function moveCheckpoint(pool: pg.Pool, move: CheckpointMove, parking?: Parking): Promise<Outcome> {
  const { text, values } = moveOf(move);
  return commitParking(pool, { text: `with moved as (${text}) ${countMoved}`, values }, { move, parking });
}

export async function forgetCheckpoint(pool: pg.Pool, place: StoredCheckpointPlace): Promise<Outcome> {
  const text = `delete from views.checkpoints where consumer = $1 and partition = $2 and position = $3 returning 1`;
  const values = [place.consumer, place.partition, place.from];
  const [row] = await query<MovedRow>(pool, { text: `with moved as (${text}) ${countMoved}`, values });
  return outcomeOf(row);
}

/** Outside of a batch: what a repair writes. */
export async function writeDocuments(
  client: pg.PoolClient,
  table: Table,
  documents: readonly DocumentWrite[],
): Promise<void> {
  // A consumer without rows has no table.
  if (documents.length === 0) return;
  await run(client, upsertOf(table, documents.filter(isUpsert), alone));
  const gone = documents.filter(({ document }) => document === null);
  if (gone.length > 0) await run(client, deleteOf(table, gone, alone));
}

export async function saveProgress(
  client: pg.PoolClient,
  consumer: string,
  progress: readonly Progress[],
): Promise<void> {
  if (progress.length > 0) await run(client, progressOf(consumer, progress, alone));
}

async function run(client: pg.PoolClient, { text, values }: WriteStatement): Promise<void> {
  await client.query(text, [...values]);
}

type MovedRow = { readonly moved: number };

const countMoved = 'select count(*)::int4 as moved from moved';

function outcomeOf(row: MovedRow | undefined): Outcome {
  return row?.moved === 1 ? 'committed' : 'moved';
}

/**
 * The checkpoint first: its row's lock is what two owners meet at, and all other writes ask whether it moved. Postgres
 * runs a part that writes once, and to its end, before the one that reads what it returned.
 */
function commitStatement({
  view,
  documents,
  progress,
  begun = [],
  move,
}: BatchWrite): WriteStatement & { readonly name: string } {
  const table = tableOf(view);
  const when = 'exists (select from moved)';
  const moved = moveOf(move);
  const upsert = upsertOf(table, documents.filter(isUpsert), { first: moved.values.length + 1, when });
  const deleted = documents.filter(({ document }) => document === null);
  const removal = deleteOf(table, deleted, { first: moved.values.length + upsert.values.length + 1, when });
  const before = [...moved.values, ...upsert.values, ...removal.values];
  const progressed = progressOf(move.consumer, progress, { first: before.length + 1, when });
  const beginning = begunOf(move.consumer, begun, { first: before.length + progressed.values.length + 1, when });
  return {
    // One plan for each view and kind of move.
    name: `commit ${table.name} ${move.from === null ? 'first' : 'next'}`,
    text: `with moved as (${moved.text}), written as (${upsert.text}), removed as (${removal.text}),
      progressed as (${progressed.text}), begun as (${beginning.text}) ${countMoved}`,
    values: [...before, ...progressed.values, ...beginning.values],
  };
}

function moveOf({ consumer, partition, from, to, turn }: CheckpointMove): WriteStatement {
  if (from === null) {
    const text = `insert into views.checkpoints (consumer, partition, position, turn)
      values ($1::text, $2::text, $3::text, coalesce($4::text, '')) on conflict do nothing returning true`;
    return { text, values: [consumer, partition, to, turn ?? null] };
  }
  const text = `update views.checkpoints set position = $3::text
    where consumer = $1::text and partition = $2::text and position = $5::text and turn = coalesce($4::text, turn) returning true`;
  return { text, values: [consumer, partition, to, turn ?? null, from] };
}
