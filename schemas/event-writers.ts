import { avroWriter, type AvroWriter } from './avro/writer.ts';
import { latestSchemaOf, type EventType, type RegisteredSchema } from './event-registry.ts';
import { eventSchemas } from './generated/registry.ts';

/** An event's released schema, ready to write and to read. */
export type EventWriter = AvroWriter & { readonly row: RegisteredSchema };

const writers: readonly EventWriter[] = eventSchemas.map((row) => ({ ...avroWriter(row.schema), row }));
const writerByVersion = new Map(writers.map((writer) => [`${writer.row.type}.v${writer.row.version}`, writer]));

/** The schema of one version of an event type; undefined: it was never released. */
export function eventWriter(type: EventType, version: number): EventWriter | undefined {
  return writerByVersion.get(`${type}.v${version}`);
}

/** Today's schema of an event type: what a reader gets, whatever version was written. */
export function eventReader(type: EventType): EventWriter {
  const reader = eventWriter(type, latestSchemaOf(type).version);
  if (reader === undefined) throw new Error(`no codec for ${type}`);
  return reader;
}

export const allEventWriters: readonly EventWriter[] = writers;
