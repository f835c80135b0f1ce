import type pg from 'pg';
import type { Position } from '../../../schemas/envelope.ts';
import type { EventId, StreamName, TenantId } from '../../../schemas/ids.ts';
import type { ParkedEvent, ParkedStream, Parking } from '../parking.ts';

export type StreamRow = {
  readonly consumer: string;
  readonly stream: StreamName;
  readonly tenant_id: TenantId;
  readonly first_revision: number;
  readonly first_position: Position;
  readonly last_revision: number;
  readonly fingerprint: string;
  readonly error: string;
  readonly since: string;
  readonly attempts: number;
  readonly last_attempt_at: string | null;
  readonly state: ParkedStream['state'];
};

export type EventRow = {
  readonly stream: StreamName;
  readonly revision: number;
  readonly event_id: EventId;
  readonly position: Position;
  readonly type: string;
};

export function toStream(row: StreamRow): ParkedStream {
  return {
    consumer: row.consumer,
    stream: row.stream,
    tenantId: row.tenant_id,
    firstRevision: row.first_revision,
    firstPosition: row.first_position,
    lastRevision: row.last_revision,
    fingerprint: row.fingerprint,
    error: row.error,
    since: row.since,
    attempts: row.attempts,
    lastAttemptAt: row.last_attempt_at,
    state: row.state,
  };
}

export function toEvent({ event_id: eventId, ...row }: EventRow): ParkedEvent {
  return { ...row, eventId };
}

/** Streams as they shall be, and the events that are not noted yet. Runs in the transaction of a commit. */
export async function saveParking(
  client: pg.PoolClient,
  consumer: string,
  { streams, events }: Parking,
): Promise<void> {
  await saveStreams(client, streams);
  if (events.length === 0) return;
  await client.query(
    `insert into views.parked_events (consumer, stream, revision, event_id, position, type)
     select $1, given.* from unnest($2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::text[]) as given
     on conflict do nothing`,
    [
      consumer,
      events.map(({ stream }) => stream),
      events.map(({ revision }) => revision),
      events.map(({ eventId }) => eventId),
      events.map(({ position }) => position),
      events.map(({ type }) => type),
    ],
  );
}

/** `since` stays as it was first written. */
export async function saveStreams(client: pg.PoolClient, streams: readonly ParkedStream[]): Promise<void> {
  if (streams.length === 0) return;
  await client.query(
    `insert into views.parked_streams (${columns.join(', ')})
     select ${columns.join(', ')} from jsonb_populate_recordset(null::views.parked_streams, $1::jsonb)
     on conflict (consumer, stream) do update set ${changing.map((name) => `${name} = excluded.${name}`).join(', ')}`,
    [JSON.stringify(streams.map(toRow))],
  );
}

const changing = [
  ...['first_revision', 'first_position', 'last_revision', 'fingerprint', 'error', 'attempts', 'last_attempt_at'],
  'state',
];
const columns = ['consumer', 'stream', 'tenant_id', 'since', ...changing];

function toRow(parked: ParkedStream): StreamRow {
  return {
    consumer: parked.consumer,
    stream: parked.stream,
    tenant_id: parked.tenantId,
    first_revision: parked.firstRevision,
    first_position: parked.firstPosition,
    last_revision: parked.lastRevision,
    fingerprint: parked.fingerprint,
    error: parked.error,
    since: parked.since,
    attempts: parked.attempts,
    last_attempt_at: parked.lastAttemptAt,
    state: parked.state,
  };
}
