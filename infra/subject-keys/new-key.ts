import { createSecretKey, randomBytes, randomUUID } from 'node:crypto';
import type { SubjectKey } from './port.ts';

export function newSubjectKey(subject: string): SubjectKey {
  return { keyId: randomUUID(), subject, key: createSecretKey(randomBytes(32)) };
}
