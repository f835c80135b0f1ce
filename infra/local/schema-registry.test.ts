import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { describeWithRegistry, freshSubjectPrefix, registryUrl } from '../../test/registry.ts';
import { schemaRegistryMissing, startSchemaRegistry } from './schema-registry.ts';

async function register(url: string, subject: string, schema: unknown): Promise<number> {
  const answer = await fetch(`${url}/subjects/${subject}/versions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/vnd.schemaregistry.v1+json' },
    body: JSON.stringify({ schema: JSON.stringify(schema) }),
  });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { readonly id: number }).id;
}

async function schemaOf(url: string, id: number): Promise<unknown> {
  const answer = await fetch(`${url}/schemas/ids/${id}`);
  expect(answer.status).toBe(200);
  return JSON.parse(((await answer.json()) as { readonly schema: string }).schema) as unknown;
}

const record = { type: 'record', name: 'Given', fields: [{ name: 'sku', type: 'string' }] };

describeWithRegistry("the run's registry", () => {
  it('gives one schema one id, and the schema back for it', async () => {
    const subject = `${freshSubjectPrefix()}order.events-value`;
    const id = await register(registryUrl(), subject, record);
    expect(await register(registryUrl(), subject, record)).toBe(id);
    expect(await schemaOf(registryUrl(), id)).toEqual(record);
  });
});

describe('a registry of our own', () => {
  it('knows the ids that it gave out after a SIGKILL', { timeout: 240_000 }, async (context) => {
    const missing = await schemaRegistryMissing();
    if (missing !== null) return context.skip(missing);
    const folder = await mkdtemp(join(tmpdir(), 'order-center-own-registry-'));
    const registry = await startSchemaRegistry({ folder });
    try {
      const id = await register(registry.url, 'order.events-value', record);
      await registry.kill();
      await registry.startAgain();
      expect(await schemaOf(registry.url, id)).toEqual(record);
    } finally {
      await registry.stop();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
