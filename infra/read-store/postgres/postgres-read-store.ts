import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { Checkpoint } from '../../event-feed/port.ts';
import type { EventId, StreamName, TenantId } from '../../../schemas/ids.ts';
import { openPool } from '../../postgres/connection.ts';
import type {
  Document,
  DocumentKey,
  DocumentWrite,
  Filter,
  ListQuery,
  Place,
  Progress,
  ReadStore,
  Row,
  StoredCheckpoint,
  View,
} from '../port.ts';
import { commitBatch, forgetCheckpoint, moveCheckpoint, writeDocuments } from './commit.ts';
import { findTogether } from './find-together.ts';
import { listStatement, scanStatement, type ScanPage } from './list.ts';
import { openPostgresParking, parkedStreams } from './parking.ts';
import { clearAll, clearView, prepareViews } from './prepare.ts';
import { columnOf, tableOf } from './table.ts';
import { query, Rollback, withTransaction } from './transaction.ts';

/** Three projectors that commit, and readers beside them. */
const connectionsMax = 10;
/**
 * A projector that is stopped in the middle of a commit holds its checkpoint's lock, and whoever takes its place waits
 * for it: less than a lease lives (4 s), so that it is gone by then.
 */
const idleInTransactionMs = 2_000;
const scanPageMax = 500;
const progressPageMax = 2_000;

type StoredRow = { readonly tenant_id: string; readonly key: string; readonly document: Document };

/** Views as tables of JSON documents in the schema `views`, made from the views' definitions. */
export function openPostgresReadStore(url: string): ReadStore {
  const pool = openPool(url, { applicationName: 'order-center views', connectionsMax, idleInTransactionMs });
  const find = findTogether(pool);
  return {
    prepare: (views) => prepareViews(pool, views),
    loadCheckpoint: (consumer, partition) => loadCheckpoint(pool, consumer, partition),
    loadPlace: (consumer, partition) => loadPlace(pool, consumer, partition),
    checkpoints: () => storedCheckpoints(pool),
    moveCheckpoint: (move, parking) => moveCheckpoint(pool, move, parking),
    forgetCheckpoint: (place) => forgetCheckpoint(pool, place),
    commit: (batch) => commitBatch(pool, batch),
    probe: (view, documents) => probe(pool, view, documents),
    find: <D extends Document>(view: View<D>, keys: readonly DocumentKey[]) =>
      find(view, keys) as Promise<readonly (D | null)[]>,
    loadProgress: (consumer, streams) => loadProgress(pool, consumer, streams),
    scanProgress: (consumer) => scanProgress(pool, consumer),
    list: (wanted) => list(pool, wanted),
    countBy: (view, column) => countBy(pool, view, column),
    scan: (view, filter) => scan(pool, view, filter),
    claimDue: (view, options) => claimDue(pool, view, options),
    clear: (view) => clearView(pool, view),
    parking: openPostgresParking(pool),
    clearAll: () => clearAll(pool),
    ping: async () => {
      await query(pool, 'select 1');
    },
    close: () => pool.end(),
  };
}

async function loadCheckpoint(pool: pg.Pool, consumer: string, partition: string): Promise<Checkpoint | null> {
  const rows = await query<{ position: Checkpoint }>(
    pool,
    'select position from views.checkpoints where consumer = $1 and partition = $2',
    [consumer, partition],
  );
  return rows[0]?.position ?? null;
}

/** The checkpoint first: whatever is parked or mended after it moves the checkpoint or its turn, and the next commit fails. */
async function loadPlace(pool: pg.Pool, consumer: string, partition: string): Promise<Place> {
  const rows = await query<{ position: Checkpoint; turn: string }>(
    pool,
    'select position, turn from views.checkpoints where consumer = $1 and partition = $2',
    [consumer, partition],
  );
  const { position = null, turn = randomUUID() } = rows[0] ?? {};
  return { checkpoint: position, turn, parked: await parkedStreams(pool, consumer) };
}

function probe(pool: pg.Pool, view: View, documents: readonly DocumentWrite[]): Promise<void> {
  return withTransaction<undefined>(pool, async (client) => {
    await writeDocuments(client, tableOf(view), documents);
    throw new Rollback(undefined);
  });
}

async function storedCheckpoints(pool: pg.Pool): Promise<readonly StoredCheckpoint[]> {
  const made = await query<{ made: boolean }>(pool, "select to_regclass('views.checkpoints') is not null as made");
  if (made[0]?.made !== true) return [];
  return query<StoredCheckpoint>(
    pool,
    'select consumer, partition, position from views.checkpoints order by consumer, partition',
  );
}

async function* scanProgress(pool: pg.Pool, consumer: string): AsyncIterable<Progress> {
  let after = '';
  for (;;) {
    const rows = await query<{ stream: StreamName; revision: number; event_id: EventId }>(
      pool,
      `select stream, revision, event_id from views.progress
       where consumer = $1 and stream > $2 order by stream limit ${progressPageMax}`,
      [consumer, after],
    );
    yield* rows.map(({ stream, revision, event_id: eventId }) => ({ stream, revision, eventId }));
    const last = rows.at(-1);
    if (last === undefined || rows.length < progressPageMax) return;
    after = last.stream;
  }
}

async function loadProgress(
  pool: pg.Pool,
  consumer: string,
  streams: readonly StreamName[],
): Promise<ReadonlyMap<StreamName, Progress>> {
  if (streams.length === 0) return new Map();
  const rows = await query<{ stream: StreamName; revision: number; event_id: EventId }>(
    pool,
    'select stream, revision, event_id from views.progress where consumer = $1 and stream = any ($2::text[])',
    [consumer, streams],
  );
  return new Map(rows.map(({ stream, revision, event_id: eventId }) => [stream, { stream, revision, eventId }]));
}

async function list<D extends Document>(
  pool: pg.Pool,
  wanted: ListQuery<D>,
): Promise<readonly { readonly key: string; readonly document: D }[]> {
  const { text, values } = listStatement(wanted);
  return query(pool, text, values);
}

async function countBy<D extends Document>(
  pool: pg.Pool,
  view: View<D>,
  column: string,
): Promise<ReadonlyMap<string, number>> {
  const { name } = columnOf(view, column);
  const rows = await query<{ value: string; rows: number }>(
    pool,
    `select ${name} as value, count(*)::int as rows from ${tableOf(view).name} where ${name} is not null group by 1`,
  );
  return new Map(rows.map(({ value, rows: count }) => [value, count]));
}

async function* scan<D extends Document>(pool: pg.Pool, view: View<D>, filter?: Filter): AsyncIterable<Row<D>> {
  let after: ScanPage['after'] = { tenantId: '', key: '' };
  for (;;) {
    const { text, values } = scanStatement(view, { after, filter, limit: scanPageMax });
    const rows = await query<StoredRow>(pool, text, values);
    yield* rows.map((row) => toRow<D>(row));
    const last = rows.at(-1);
    if (last === undefined || rows.length < scanPageMax) return;
    after = { tenantId: last.tenant_id, key: last.key };
  }
}

async function claimDue<D extends Document>(
  pool: pg.Pool,
  view: View<D>,
  { limit, leaseMs }: { readonly limit: number; readonly leaseMs: number },
): Promise<readonly Row<D>[]> {
  const { name, dueColumn } = tableOf(view);
  if (dueColumn === null) throw new Error(`view ${view.name} has no due column`);
  const rows = await query<StoredRow>(
    pool,
    // Materialized: a subquery that the planner runs again would lock other rows each time.
    `with due as materialized (
       select tenant_id, key from ${name}
       where ${dueColumn} <= clock_timestamp() and (claimed_until is null or claimed_until <= clock_timestamp())
       order by ${dueColumn} limit $1 for update skip locked)
     update ${name} as claimed set claimed_until = clock_timestamp() + $2 * interval '1 millisecond'
     from due where claimed.tenant_id = due.tenant_id and claimed.key = due.key
     returning claimed.tenant_id, claimed.key, claimed.document`,
    [limit, leaseMs],
  );
  return rows.map((row) => toRow<D>(row));
}

function toRow<D extends Document>({ tenant_id: tenantId, key, document }: StoredRow): Row<D> {
  return { tenantId: tenantId as TenantId, key, document: document as D };
}
