import avro from 'avsc';
import { crc64Avro } from './crc64-avro.ts';
import { inspectorOf, type BodyFault, type InspectBody } from './inspect-body.ts';
import { safeLong } from './safe-long.ts';

/** A schema that bytes were written with, or are read as. */
export type AvroWriter = {
  /** With its namespace: a schema is resolved only to one of the same name. */
  readonly fullName: string;
  readonly type: avro.Type;
  /** CRC-64-AVRO of the Parsing Canonical Form, little-endian. */
  readonly fingerprint: Buffer;
  readonly inspect: InspectBody;
};

/** @throws Error where the schema is none, or not one of a record */
export function avroWriter(schema: unknown): AvroWriter {
  const type = avro.Type.forSchema(schema as avro.Schema, { registry: { long: safeLong }, wrapUnions: false });
  if (type.typeName !== 'record' || type.name === undefined) throw new Error('not the schema of a record');
  const fingerprint = crc64Avro(JSON.stringify(type.schema()));
  return { fullName: type.name, type, fingerprint, inspect: inspectorOf(type) };
}

export type BodyRead =
  | { readonly kind: 'data'; readonly data: object }
  | { readonly kind: 'fault'; readonly code: BodyFault | 'SCHEMA_INCOMPATIBLE' };

/** Reads a body that `writer` wrote as `reader`'s type, by Avro's schema resolution; looks at it before it decodes. */
export function readBody(body: Buffer, writer: AvroWriter, reader: AvroWriter): BodyRead {
  const resolver = resolverOf(writer, reader);
  if (resolver === null) return { kind: 'fault', code: 'SCHEMA_INCOMPATIBLE' };
  const fault = writer.inspect(body);
  if (fault !== null) return { kind: 'fault', code: fault };
  try {
    const read: unknown = reader.type.fromBuffer(body, resolver === 'same' ? undefined : resolver);
    return { kind: 'data', data: plain(read) as object };
  } catch {
    // What the walk let through and the decoder does not: a fault of the bytes as well.
    return { kind: 'fault', code: 'BODY_UNREADABLE' };
  }
}

type Resolver = ReturnType<avro.Type['createResolver']>;
const resolvers = new WeakMap<AvroWriter, WeakMap<AvroWriter, Resolver | null>>();

function resolverOf(writer: AvroWriter, reader: AvroWriter): Resolver | 'same' | null {
  if (writer === reader || writer.fingerprint.equals(reader.fingerprint)) return 'same';
  const ofReader = resolvers.get(reader) ?? new WeakMap<AvroWriter, Resolver | null>();
  resolvers.set(reader, ofReader);
  const known = ofReader.get(writer);
  if (known !== undefined) return known;
  const resolver = writer.fullName === reader.fullName ? tryResolver(writer, reader) : null;
  ofReader.set(writer, resolver);
  return resolver;
}

function tryResolver(writer: AvroWriter, reader: AvroWriter): Resolver | null {
  try {
    return reader.type.createResolver(writer.type);
  } catch {
    return null;
  }
}

/** avsc gives instances of generated classes; our types are plain objects. */
function plain(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(plain);
  const copy: Record<string, unknown> = {};
  for (const key of Object.keys(value)) copy[key] = plain((value as Record<string, unknown>)[key]);
  return copy;
}
