import { randomUUID } from 'node:crypto';
import { beforeAll, describe, inject, it } from 'vitest';

import { askBackend, firstStartMaxMs } from './lazy-backend.ts';

let url = '';

/**
 * `describe` with a schema registry for the suite, or one skipped test with the reason where none can be had. The run's
 * registry starts when the first of these suites asks for it.
 */
export function describeWithRegistry(name: string, suite: () => void): void {
  const missing = inject('registryMissing');
  if (missing !== '') {
    describe(name, () => it('needs a schema registry', (context) => context.skip(missing)));
    return;
  }
  describe(name, () => {
    beforeAll(async () => {
      url = await askBackend(inject('registryDoor'));
    }, firstStartMaxMs);
    suite();
  });
}

/** As SCHEMA_REGISTRY_URL, with the path of Confluent's API: in the hooks and tests of a `describeWithRegistry`. */
export function registryUrl(): string {
  if (url === '') throw new Error('no registry was asked for: this is for hooks and tests of describeWithRegistry');
  return url;
}

/** Begins names of subjects that no other test has. */
export function freshSubjectPrefix(): string {
  return `test-${randomUUID()}.`;
}
