import { httpSchemaRegistry } from './http/http-registry.ts';
import type { RecordSchemas } from './port.ts';
import { openRecordSchemas, withoutRegistry } from './record-schemas.ts';

/** @param url SCHEMA_REGISTRY_URL; null: records name their schemas themselves (single-object encoding) */
export function openSchemas(url: string | null): RecordSchemas {
  return url === null ? withoutRegistry : openRecordSchemas(httpSchemaRegistry(url));
}
