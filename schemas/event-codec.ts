import { readBody } from './avro/writer.ts';
import type { EventType } from './event-registry.ts';
import { allEventWriters, eventReader } from './event-writers.ts';

/**
 * Bytes of one event's data. Two forms: JSON in the store, so that anyone can query it; Avro single-object encoding
 * (Avro 1.11, "Single-object encoding": C3 01, CRC-64-AVRO of the writer's schema little-endian, body) on a bus or in an export.
 */
const marker = Buffer.from([0xc3, 0x01]);
const headerBytes = marker.length + 8;
/** No honest event comes near: the store refuses events above 256 KiB. */
const bodyBytesMax = 1 << 20;

const writerByFingerprint = new Map(allEventWriters.map((writer) => [writer.fingerprint.toString('hex'), writer]));

/** @throws Error where data is not of the type's latest schema */
export function encodeEvent(type: EventType, data: object): Buffer {
  const writer = eventReader(type);
  return Buffer.concat([marker, writer.fingerprint, writer.type.toBuffer(data)]);
}

/**
 * Reads what any released version wrote, as today's type.
 * @throws Error on a foreign marker, an unknown fingerprint, a truncated or oversize body
 */
export function decodeEvent(bytes: Buffer): {
  readonly type: EventType;
  readonly version: number;
  readonly data: object;
} {
  if (bytes.length < headerBytes || !bytes.subarray(0, 2).equals(marker))
    throw new Error('not Avro single-object encoding');
  if (bytes.length > bodyBytesMax) throw new Error('event too large');
  const writer = writerByFingerprint.get(bytes.subarray(2, headerBytes).toString('hex'));
  if (writer === undefined) throw new Error('written with a schema that was never released');
  const read = readBody(bytes.subarray(headerBytes), writer, eventReader(writer.row.type));
  if (read.kind === 'fault') throw new Error(read.code);
  return { type: writer.row.type, version: writer.row.version, data: read.data };
}

/** Whether data is exactly of the type's latest schema: what a test asks of every example and the store of every event. */
export function isValidEvent(type: EventType, data: object): boolean {
  return eventReader(type).type.isValid(data, { noUndeclaredFields: true });
}
