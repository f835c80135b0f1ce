import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import type { EventId, StreamName } from '../../../schemas/ids.ts';
import type {
  Held,
  ListedStream,
  Mended,
  Mending,
  ParkedGroup,
  ParkedPage,
  ParkedStream,
  ParkingStore,
} from '../parking.ts';
import type { Document, DocumentKey, Progress, View } from '../port.ts';
import { saveProgress, writeDocuments } from './commit.ts';
import { saveStreams, toEvent, toStream, type EventRow, type StreamRow } from './parking-rows.ts';
import { tableOf } from './table.ts';
import { query, Rollback, withTransaction } from './transaction.ts';

export function openPostgresParking(pool: pg.Pool): ParkingStore {
  return {
    streams: (consumer) => parkedStreams(pool, consumer),
    groups: () => groups(pool),
    list: (page) => list(pool, page),
    events: async (consumer, stream, limit) => {
      const rows = await query<EventRow>(
        pool,
        `select stream, revision, event_id, position, type from views.parked_events
         where consumer = $1 and stream = $2 order by revision limit $3`,
        [consumer, stream, limit],
      );
      return rows.map(toEvent);
    },
    mend: (mending) => mend(pool, mending),
  };
}

export async function parkedStreams(pool: pg.Pool, consumer: string): Promise<readonly ParkedStream[]> {
  const rows = await query<StreamRow>(pool, 'select * from views.parked_streams where consumer = $1', [consumer]);
  return rows.map(toStream);
}

async function groups(pool: pg.Pool): Promise<readonly ParkedGroup[]> {
  return query<ParkedGroup>(
    pool,
    `select consumer, fingerprint, state, min(error) as error, min(since) as since, min(stream) as example,
       count(*) as streams, sum(noted)::bigint as events
     from (select parked.*, (select count(*) from views.parked_events as waiting
             where waiting.consumer = parked.consumer and waiting.stream = parked.stream) as noted
           from views.parked_streams as parked) as parked
     group by consumer, fingerprint, state order by streams desc, consumer, fingerprint, state`,
  );
}

async function list(pool: pg.Pool, { filter, after, limit }: ParkedPage): Promise<readonly ListedStream[]> {
  const { consumer = null, fingerprint = null, streams = null, state = null } = filter;
  const rows = await query<StreamRow & { readonly events: number }>(
    pool,
    `select parked.*, (select count(*) from views.parked_events as waiting
       where waiting.consumer = parked.consumer and waiting.stream = parked.stream) as events
     from views.parked_streams as parked
     where ($1::text is null or consumer = $1) and ($2::text is null or fingerprint = $2)
       and ($3::text[] is null or stream = any ($3)) and ($4::text is null or state = $4)
       and (consumer, stream) > ($5::text, $6::text)
     order by consumer, stream limit $7`,
    [consumer, fingerprint, streams, state, after?.consumer ?? '', after?.stream ?? '', limit],
  );
  return rows.map((row) => ({ ...toStream(row), events: row.events }));
}

/** The new turn first: its row locks are those that a commit takes, so the two see each other's end or nothing. */
function mend<Answer>(pool: pg.Pool, mending: Mending<Answer>): Promise<Answer> {
  const { view, stream, keys } = mending;
  const consumer = view.name;
  return withTransaction<Answer>(pool, async (client) => {
    // In one order, so that two who mend cannot wait for each other's rows.
    await client.query(
      `with held as materialized (
         select partition from views.checkpoints where consumer = $1 order by partition for update)
       update views.checkpoints as places set turn = $2 from held
       where places.consumer = $1 and places.partition = held.partition`,
      [consumer, randomUUID()],
    );
    const { answer, mended } = mending.fold(await hold(client, { view, stream, keys }));
    if (mended === null) throw new Rollback(answer);
    await write(client, { view, stream, mended });
    return answer;
  });
}

type Holding = { readonly view: View; readonly stream: StreamName; readonly keys: readonly DocumentKey[] };

async function hold(client: pg.PoolClient, { view, stream, keys }: Holding): Promise<Held> {
  const place = [view.name, stream];
  const parked = await client.query<StreamRow>(
    'select * from views.parked_streams where consumer = $1 and stream = $2',
    place,
  );
  const progress = await client.query<{ revision: number; event_id: EventId }>(
    'select revision, event_id from views.progress where consumer = $1 and stream = $2',
    place,
  );
  return {
    parked: parked.rows[0] === undefined ? null : toStream(parked.rows[0]),
    progress:
      progress.rows.map(({ revision, event_id: eventId }): Progress => ({ stream, revision, eventId }))[0] ?? null,
    documents: await documentsOf(client, view, keys),
  };
}

async function documentsOf(
  client: pg.PoolClient,
  view: View,
  keys: readonly DocumentKey[],
): Promise<readonly (Document | null)[]> {
  // A consumer without rows has no table.
  if (keys.length === 0) return [];
  const found = await client.query<{ document: Document | null }>(
    `select stored.document from unnest($1::text[], $2::text[]) with ordinality as wanted (tenant_id, key, nr)
     left join ${tableOf(view).name} as stored on stored.tenant_id = wanted.tenant_id and stored.key = wanted.key
     order by nr`,
    [keys.map(({ tenantId }) => tenantId), keys.map(({ key }) => key)],
  );
  return found.rows.map(({ document }) => document);
}

type Writing = { readonly view: View; readonly stream: StreamName; readonly mended: Mended };

async function write(client: pg.PoolClient, { view, stream, mended }: Writing): Promise<void> {
  const { documents, progress, parked } = mended;
  await writeDocuments(client, tableOf(view), documents);
  await saveProgress(client, view.name, progress === null ? [] : [progress]);
  if (parked === null) {
    await client.query('delete from views.parked_streams where consumer = $1 and stream = $2', [view.name, stream]);
  } else {
    await saveStreams(client, [parked]);
  }
  const waitFrom = parked === null || parked.state === 'discarded' ? null : parked.firstRevision;
  await client.query(
    `delete from views.parked_events where consumer = $1 and stream = $2 and ($3::bigint is null or revision < $3)`,
    [view.name, stream, waitFrom],
  );
}
