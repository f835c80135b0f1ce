import { newSubjectKey } from '../new-key.ts';
import type { SubjectKey, SubjectKeys } from '../port.ts';

/** Keys that live as long as the process: for tests and `memory:` stores. */
export function openMemorySubjectKeys(): SubjectKeys {
  const durable = new Map<string, SubjectKey>();
  const bySubject = new Map<string, SubjectKey>();
  return {
    current: (subject) => {
      const known = bySubject.get(subject) ?? newSubjectKey(subject);
      bySubject.set(subject, known);
      return known;
    },
    persist: (key) => {
      durable.set(key.keyId, key);
      return Promise.resolve();
    },
    find: (keyIds) => {
      const found = keyIds.flatMap((keyId) => durable.get(keyId) ?? []);
      return Promise.resolve(new Map(found.map((key) => [key.keyId, key])));
    },
    forget: (subject) => {
      bySubject.delete(subject);
      const keys = [...durable.values()].filter((key) => key.subject === subject);
      for (const key of keys) durable.delete(key.keyId);
      return Promise.resolve(keys.length);
    },
    close: () => Promise.resolve(),
  };
}
