import type { AvroWriter } from '../../schemas/avro/writer.ts';
import type { WireSchemas } from '../../schemas/wire/wire-schemas.ts';

/**
 * A registry of Avro schemas with Confluent's API. Throws OperationalFailure SCHEMA_REGISTRY_UNAVAILABLE (retryable):
 * whoever reads waits then, for nothing is known to be wrong with a record.
 */
export type SchemaRegistry = {
  /**
   * The id of a schema under a subject; one that is there already keeps its id.
   * @throws OperationalFailure SCHEMA_REFUSED (not retryable): it is not compatible with what is there
   */
  register(subject: string, schema: object): Promise<number>;
  /** The schema's text; null: the registry gave this id to nothing that is Avro. */
  schemaOf(id: number): Promise<string | null>;
  ping(): Promise<void>;
};

/** A released schema: what is registered is the file as it is. */
export type ReleasedSchema = AvroWriter & { readonly row: { readonly schema: object } };

/** What writers and readers of records need to know of schemas, with a registry or without one. */
export type RecordSchemas = {
  /** Makes the schemas known to all; to be awaited before the first record is written with what it answers. */
  register(schemas: readonly ReleasedSchema[]): Promise<WireSchemas>;
  /** What these values name, so that they can be decoded at once; asks the registry only for what was not asked before. */
  load(values: Iterable<Buffer | null>): Promise<WireSchemas>;
};
