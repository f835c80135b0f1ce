import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { categoryOfType, eventTypes } from './event-registry.ts';
import { commandSchemas, outcomeSchemas } from './generated/messages.ts';

const filesOf = (folder: string) => readdirSync(join(import.meta.dirname, folder)).map((file) => `${folder}/${file}`);
const eventFiles = filesOf('events');
const messageFiles = [...filesOf('commands'), ...filesOf('outcomes')];

describe('schemas', () => {
  it('have fresh types and registry', async () => {
    const run = promisify(execFile)(process.execPath, [join(import.meta.dirname, 'generate.ts'), '--check']);
    await expect(run).resolves.toMatchObject({ stderr: '' });
  });

  it('are all registered, each under its file name', () => {
    const nameOf = (file: string) => /\/([A-Z][A-Za-z]+)\.v[1-9]\d*\.avsc$/.exec(file)?.[1];
    expect(new Set(eventFiles.map(nameOf))).toEqual(new Set(eventTypes));
    const messages = [...commandSchemas, ...outcomeSchemas].map(({ type }) => type);
    expect(new Set(messageFiles.map(nameOf))).toEqual(new Set(messages));
  });

  it('belong to a category that streams have', () => {
    for (const type of eventTypes) expect(['order', 'stock', 'fulfillment']).toContain(categoryOfType(type));
  });

  describe.each([...eventFiles, ...messageFiles])('%s', (file) => {
    const schema: unknown = JSON.parse(readFileSync(join(import.meta.dirname, file), 'utf8'));
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

    it('has unions of null and one other type alone', () => {
      const unions = [...arraysIn(schema)].filter((union) => union.includes('null'));
      for (const union of unions) expect(union).toHaveLength(2);
    });

    it('holds money and counts as integers', () => {
      const text = JSON.stringify(schema);
      expect(text).not.toMatch(/"(float|double|bytes|fixed)"/);
    });
  });
});

/** Every JSON array that is a type: a union. */
function* arraysIn(value: unknown): Generator<readonly unknown[]> {
  if (value === null || typeof value !== 'object') return;
  for (const [key, member] of Object.entries(value)) {
    if (key === 'type' && Array.isArray(member)) yield member;
    yield* arraysIn(member);
  }
}

type Node = Readonly<Record<string, unknown>>;

function* nodesOf(value: unknown): Generator<Node> {
  if (value === null || typeof value !== 'object') return;
  if (!Array.isArray(value)) yield value as Node;
  for (const member of Object.values(value)) yield* nodesOf(member);
}
