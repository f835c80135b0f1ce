import type { AvroWriter } from '../avro/writer.ts';

/**
 * What is known of a registry's ids, answered at once: whoever talks to a registry asks it before (infra/schema-registry).
 */
export type WireSchemas = {
  /** The id to write with; undefined: there is no registry, so write single-object encoding. */
  readonly idOf: (writer: AvroWriter) => number | undefined;
  /** The schema behind an id that a record names; undefined: the registry has none. */
  readonly byId: (schemaId: number) => AvroWriter | undefined;
};

/** Without a registry: single-object encoding, and no record that names an id can be read. */
export const noRegistry: WireSchemas = { idOf: () => undefined, byId: () => undefined };
