import avro from 'avsc';
import { crc64Avro } from './crc64-avro.ts';
import { latestSchemaOf, type EventType, type RegisteredSchema } from './event-registry.ts';
import { eventSchemas } from './generated/registry.ts';

/**
 * Bytes of one event's data. Two forms: JSON in the store, so that anyone can query it; Avro single-object encoding
 * (Avro 1.11, "Single-object encoding": C3 01, CRC-64-AVRO of the writer's schema little-endian, body) on a bus or in an export.
 */
const marker = Buffer.from([0xc3, 0x01]);
const headerBytes = marker.length + 8;
/** No honest event comes near: the store refuses events above 256 KiB. */
const bodyBytesMax = 1 << 20;

/**
 * avsc's own long stops at 2^53-2 (5.7.9, `isSafeLong`), one below the largest amount of money. This one takes every safe
 * integer and still refuses what a number cannot hold.
 */
const safeLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const value = Number(bytes.readBigInt64LE());
    if (!Number.isSafeInteger(value)) throw new Error('potential precision loss');
    return value;
  },
  toBuffer: (value: number) => {
    if (!Number.isSafeInteger(value)) throw new Error(`not a safe integer: ${value}`);
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: (value: unknown) => Number.isSafeInteger(value),
  compare: (a: number, b: number) => a - b,
});

type Writer = { readonly row: RegisteredSchema; readonly type: avro.Type; readonly fingerprint: Buffer };

const writers: readonly Writer[] = eventSchemas.map((row) => {
  const type = avro.Type.forSchema(row.schema as unknown as avro.Schema, {
    registry: { long: safeLong },
    wrapUnions: false,
  });
  return { row, type, fingerprint: crc64Avro(JSON.stringify(type.schema())) };
});
const writerByFingerprint = new Map(writers.map((writer) => [writer.fingerprint.toString('hex'), writer]));
const writerByType = new Map(writers.map((writer) => [`${writer.row.type}.v${writer.row.version}`, writer]));

/** @throws Error where data is not of the type's latest schema */
export function encodeEvent(type: EventType, data: object): Buffer {
  const writer = writerOf(latestSchemaOf(type));
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
  const reader = writerOf(latestSchemaOf(writer.row.type));
  const resolver = reader === writer ? undefined : reader.type.createResolver(writer.type);
  const data = reader.type.fromBuffer(bytes.subarray(headerBytes), resolver) as object;
  return { type: writer.row.type, version: writer.row.version, data: plain(data) };
}

/** Whether data is exactly of the type's latest schema: what a test asks of every example and the store of every event. */
export function isValidEvent(type: EventType, data: object): boolean {
  return writerOf(latestSchemaOf(type)).type.isValid(data, { noUndeclaredFields: true });
}

function writerOf(row: RegisteredSchema): Writer {
  const writer = writerByType.get(`${row.type}.v${row.version}`);
  if (writer === undefined) throw new Error(`no codec for ${row.type} v${row.version}`);
  return writer;
}

/** avsc gives instances of generated classes; today's types are plain objects. */
function plain(value: object): object {
  return JSON.parse(JSON.stringify(value)) as object;
}
