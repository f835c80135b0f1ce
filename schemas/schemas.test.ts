import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { categoryOfType, eventTypes } from './event-registry.ts';

const eventsFolder = join(import.meta.dirname, 'events');
const files = readdirSync(eventsFolder);

describe('event schemas', () => {
  it('have fresh types and registry', async () => {
    const run = promisify(execFile)(process.execPath, [join(import.meta.dirname, 'generate.ts'), '--check']);
    await expect(run).resolves.toMatchObject({ stderr: '' });
  });

  it('are all registered, each under its file name', () => {
    const named = files.map((file) => /^([A-Z][A-Za-z]+)\.v[1-9]\d*\.avsc$/.exec(file)?.[1]);
    expect(new Set(named)).toEqual(new Set(eventTypes));
  });

  it('belong to a category that streams have', () => {
    for (const type of eventTypes) expect(['order', 'stock', 'fulfillment']).toContain(categoryOfType(type));
  });

  describe.each(files)('%s', (file) => {
    const schema: unknown = JSON.parse(readFileSync(join(eventsFolder, file), 'utf8'));
    const nodes = [...nodesOf(schema)];

    it('has no array of a type without bytes: five bytes of it could claim 10^9 items', () => {
      const arrays = nodes.filter((node) => node.type === 'array');
      for (const { items } of arrays) {
        expect(items).not.toBe('null');
        if (typeof items === 'object') expect(items).not.toMatchObject({ fields: [] });
      }
    });

    it('seals at most one field', () => {
      const sealed = nodes.filter((node) => node.name === 'sealed' || node.name === 'Sealed');
      expect(sealed.filter((node) => node.type !== 'record').length).toBeLessThanOrEqual(1);
      expect(sealed.filter((node) => node.type === 'record').length).toBeLessThanOrEqual(1);
    });

    it('holds money and counts as integers', () => {
      const text = JSON.stringify(schema);
      expect(text).not.toMatch(/"(float|double|bytes|fixed)"/);
    });
  });
});

type Node = Readonly<Record<string, unknown>>;

function* nodesOf(value: unknown): Generator<Node> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield value as Node;
  for (const member of Object.values(value)) yield* nodesOf(member);
}
