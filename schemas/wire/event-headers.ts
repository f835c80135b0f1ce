import type { Position, RecordedEvent } from '../envelope.ts';
import { isEventType } from '../event-registry.ts';
import { parseCommandId, parseTenantId, type EventId, type StreamName } from '../ids.ts';
import { isIsoTime } from '../iso-time.ts';
import { headerText, type ReceivedRecord } from './record.ts';
import { unreadable, type Unreadable } from './unreadable.ts';

/**
 * The envelope as CloudEvents 1.0 in binary mode of the Kafka binding: `ce_<attribute>`. `recordedtime`, `correlationid`,
 * `causationid` and `sequence` are extensions that CloudEvents documents; `position` and `epoch` say where the event stands
 * in the log, which is no attribute of it.
 */
export type Envelope = Omit<RecordedEvent, 'data'> & { readonly type: RecordedEvent['type'] };

/** Ids are unique among all sources (UUIDv7), so one name is enough for all of them. */
const source = '/order-center';
const contentType = 'application/avro';

export function eventHeaders(event: RecordedEvent, epoch: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {
    'content-type': contentType,
    ce_specversion: '1.0',
    ce_id: event.eventId,
    ce_source: source,
    ce_type: event.type,
    ce_subject: event.stream,
    ce_sequence: String(event.revision),
    ce_recordedtime: event.recordedAt,
    ce_schemaversion: String(event.schemaVersion),
    ce_tenantid: event.tenantId,
    ce_origin: event.origin,
    ce_commandid: event.commandId,
    ce_correlationid: event.correlationId,
    position: event.position,
    epoch,
  };
  // An event whose time nobody knows has no `time`: any other would be made up.
  if (event.occurredAt !== null) headers.ce_time = event.occurredAt;
  if (event.causationId !== null) headers.ce_causationid = event.causationId;
  return headers;
}

export type EventHeaders = { readonly kind: 'headers'; readonly envelope: Envelope; readonly epoch: string };

type Check = (text: string) => boolean;

const isId: Check = (text) => /^[\x21-\x7e]{1,64}$/.test(text);
const isCount: Check = (text) => /^(0|[1-9]\d{0,15})$/.test(text) && Number.isSafeInteger(Number(text));

/** What each header must hold. */
const required = {
  ce_specversion: (text) => text === '1.0',
  ce_id: isId,
  ce_type: isEventType,
  ce_subject: (text) => /^(order|stock)-[\x21-\x7e]{1,255}$/.test(text),
  ce_sequence: isCount,
  ce_recordedtime: isIsoTime,
  ce_schemaversion: (text) => isCount(text) && text !== '0',
  ce_tenantid: (text) => parseTenantId(text) !== null,
  ce_origin: (text) => text === 'live' || text === 'backfill',
  ce_commandid: (text) => parseCommandId(text) !== null,
  ce_correlationid: () => true,
  position: isId,
  epoch: isId,
} as const satisfies Readonly<Record<string, Check>>;

const optional = { ce_time: isIsoTime, ce_causationid: isId } as const satisfies Readonly<Record<string, Check>>;

type Name = keyof typeof required | keyof typeof optional;

const checks = Object.entries({ ...required, ...optional }) as readonly (readonly [Name, Check])[];

/** The envelope again, to the letter. */
export function readEventHeaders(record: ReceivedRecord): EventHeaders | Unreadable {
  const texts = new Map<Name, string>();
  for (const [name, check] of checks) {
    const text = headerText(record, name);
    if (text === null) {
      if (Object.hasOwn(optional, name)) continue;
      return unreadable('HEADER_MISSING', name);
    }
    if (text === undefined || !check(text)) return unreadable('HEADER_INVALID', name);
    texts.set(name, text);
  }
  return { kind: 'headers', envelope: envelopeOf(texts), epoch: texts.get('epoch') ?? '' };
}

function envelopeOf(texts: ReadonlyMap<Name, string>): Envelope {
  const text = (name: Name) => texts.get(name) ?? '';
  // Checked above, one by one.
  return {
    position: text('position') as Position,
    eventId: text('ce_id') as EventId,
    stream: text('ce_subject') as StreamName,
    revision: Number(text('ce_sequence')),
    type: text('ce_type') as RecordedEvent['type'],
    schemaVersion: Number(text('ce_schemaversion')),
    tenantId: text('ce_tenantid') as Envelope['tenantId'],
    recordedAt: text('ce_recordedtime'),
    occurredAt: texts.get('ce_time') ?? null,
    origin: text('ce_origin') as Envelope['origin'],
    commandId: text('ce_commandid') as Envelope['commandId'],
    correlationId: text('ce_correlationid'),
    causationId: (texts.get('ce_causationid') ?? null) as EventId | null,
  };
}
