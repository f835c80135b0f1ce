import { readBody, type AvroWriter } from '../avro/writer.ts';
import type { RecordedEvent } from '../envelope.ts';
import { allEventWriters, eventReader, eventWriter } from '../event-writers.ts';
import { categoryOf } from '../ids.ts';
import { eventHeaders, readEventHeaders } from './event-headers.ts';
import { frameHead, frameOf, type Frame } from './frame.ts';
import { keyText, type ReceivedRecord, type WireRecord } from './record.ts';
import { unreadable, type Unreadable } from './unreadable.ts';
import { noRegistry, type WireSchemas } from './wire-schemas.ts';

/** Fulfillment streams have no topic: a saga reads the log. */
export const eventTopics = { order: 'order.events', stock: 'stock.events' } as const;
export type EventTopic = (typeof eventTopics)[keyof typeof eventTopics];

export type EventRecord = WireRecord<EventTopic>;

/** An event as a topic holds it, and the epoch of the store that it came from. */
export type ReadEvent = { readonly kind: 'event'; readonly event: RecordedEvent; readonly epoch: string };

const writerByFingerprint = new Map(allEventWriters.map((writer) => [writer.fingerprint.toString('hex'), writer]));

/**
 * An event as contract.md lays it down for Kafka: its `data` in the schema of its own version as value, its envelope in
 * headers; key = order id, or `tenant~sku`.
 * @returns null for an event that is not published
 * @throws Error where data is not of the version's schema: a bug, the store holds none such
 */
export function encodeEventRecord(
  event: RecordedEvent,
  epoch: string,
  schemas: WireSchemas = noRegistry,
): EventRecord | null {
  const category = categoryOf(event.stream);
  if (category === 'fulfillment') return null;
  const writer = eventWriter(event.type, event.schemaVersion);
  if (writer === undefined) throw new Error(`no codec for ${event.type} v${event.schemaVersion}`);
  return {
    topic: eventTopics[category],
    key: event.stream.slice(category.length + 1),
    value: Buffer.concat([frameHead(writer, schemas.idOf(writer)), writer.type.toBuffer(event.data)]),
    headers: eventHeaders(event, epoch),
  };
}

/**
 * The event again, as the store gave it, its data as today's type whatever released version was written. Topics are not
 * looked at: a record says by itself what it is.
 */
export function decodeEventRecord(record: ReceivedRecord, schemas: WireSchemas = noRegistry): ReadEvent | Unreadable {
  const headers = readEventHeaders(record);
  if (headers.kind === 'unreadable') return headers;
  const { envelope, epoch } = headers;
  const key = keyText(record);
  if (key === null) return unreadable('KEY_MISSING');
  const reader = eventReader(envelope.type);
  if (envelope.stream !== `${reader.row.category}-${key ?? ''}`) return unreadable('KEY_FOREIGN');
  const frame = frameOf(record.value);
  if (frame.kind === 'unreadable') return frame;
  const writer = writerOf(frame, schemas);
  if (writer === undefined) return unreadable('SCHEMA_UNKNOWN');
  const read = readBody(frame.body, writer, reader);
  if (read.kind === 'fault') return unreadable(read.code);
  // The schema of the envelope's type made sure of it.
  return { kind: 'event', event: { ...envelope, data: read.data } as RecordedEvent, epoch };
}

function writerOf(frame: Frame, schemas: WireSchemas): AvroWriter | undefined {
  return frame.kind === 'single-object' ? writerByFingerprint.get(frame.fingerprint) : schemas.byId(frame.schemaId);
}
