import { openMemorySubjectKeys } from './memory/memory-subject-keys.ts';
import type { SubjectKeys } from './port.ts';
import { openPostgresSubjectKeys } from './postgres/postgres-subject-keys.ts';

/** The URL's scheme chooses the adapter: `postgres://…` or `memory:`. */
export function openSubjectKeys(url: string): Promise<SubjectKeys> {
  return url.startsWith('memory:') ? Promise.resolve(openMemorySubjectKeys()) : openPostgresSubjectKeys(url);
}
