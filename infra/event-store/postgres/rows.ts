import type { Position } from '../../../schemas/envelope.ts';
import type { CommandId, EventId, StreamName, TenantId } from '../../../schemas/ids.ts';
import type { Append, Appended, RecordedEvent } from '../port.ts';
import { toPosition } from '../position.ts';

export const eventColumns = `tx::text as tx_text, ord, stream, revision, event_id, type, schema_version, tenant, command_id, recorded_at,
  occurred_at, origin, correlation_id, causation_id, data`;

export type EventRow = {
  /** Not `tx`: a query that orders by an output column of that name would order texts. */
  readonly tx_text: string;
  readonly ord: number;
  readonly stream: string;
  readonly revision: number;
  readonly event_id: string;
  readonly type: string;
  readonly schema_version: number;
  readonly tenant: string;
  readonly command_id: string;
  readonly recorded_at: string;
  readonly occurred_at: string | null;
  readonly origin: string;
  readonly correlation_id: string;
  readonly causation_id: string | null;
  readonly data: object;
};

export function recordedOf(epoch: string, row: EventRow): RecordedEvent {
  return {
    position: toPosition(epoch, { tx: BigInt(row.tx_text), ordinal: row.ord }),
    eventId: row.event_id as EventId,
    stream: row.stream as StreamName,
    revision: row.revision,
    type: row.type,
    schemaVersion: row.schema_version,
    tenantId: row.tenant as TenantId,
    recordedAt: row.recorded_at,
    occurredAt: row.occurred_at,
    origin: row.origin,
    commandId: row.command_id as CommandId,
    correlationId: row.correlation_id,
    causationId: row.causation_id as EventId | null,
    data: row.data,
    // The table holds only what an append of a known type put there.
  } as RecordedEvent;
}

/** Where a statement put an append: its transaction, its first ordinal, its time. */
export type AppendPlace = {
  readonly epoch: string;
  readonly tx: bigint;
  readonly ordinal: number;
  readonly recordedAt: string;
};

export function appendedOf(append: Append, place: AppendPlace): Appended {
  const firstRevision = append.expected === 'none' ? 0 : append.expected + 1;
  const events = append.events.map((event, n) => {
    const position: Position = toPosition(place.epoch, { tx: place.tx, ordinal: place.ordinal + n });
    const { recordedAt } = place;
    const occurredAt =
      event.occurredAt === undefined ? recordedAt : event.occurredAt && new Date(event.occurredAt).toISOString();
    const { eventId, type, schemaVersion, data } = event;
    const { stream, tenantId, origin, commandId, correlationId, causationId } = append;
    return {
      ...{
        position,
        eventId,
        stream,
        revision: firstRevision + n,
        type,
        schemaVersion,
        tenantId,
        recordedAt,
        occurredAt,
        origin,
      },
      ...{ commandId, correlationId, causationId, data },
    } as RecordedEvent;
  });
  return appendedEvents(events);
}

export function appendedEvents(events: readonly RecordedEvent[]): Appended {
  const last = events.at(-1);
  if (last === undefined) throw new Error('an append without events');
  return { outcome: 'appended', revision: last.revision, position: last.position, events };
}
