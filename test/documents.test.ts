import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const documents = ['README.md', 'ARCHITECTURE.md', ...markdownIn('docs'), ...markdownIn('docs/decisions')];
/** What only a run makes. */
const madeAtRunTime = /^(\.data|node_modules|simulators)\b/;

describe('the documents', () => {
  it.each(documents)('%s names only paths that exist', (document) => {
    const named = pathsIn(readFileSync(join(root, document), 'utf8'));
    const missing = named.filter(
      (path) => !existsSync(join(root, path)) && !existsSync(join(root, dirname(document), path)),
    );
    expect(missing).toEqual([]);
  });

  it('finds paths at all', () => {
    expect(pathsIn('see `infra/event-store/port.ts` and [x](docs/ids.md#a)')).toEqual([
      'infra/event-store/port.ts',
      'docs/ids.md',
    ]);
    expect(pathsIn(readFileSync(join(root, 'README.md'), 'utf8')).length).toBeGreaterThan(10);
  });

  it('name every folder of the house in ARCHITECTURE.md', () => {
    const architecture = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
    const folders = ['infra', 'services', 'projections'].flatMap((folder) =>
      foldersIn(folder).map((name) => `${folder}/${name}`),
    );
    expect(folders.filter((folder) => !architecture.includes(folder))).toEqual([]);
  });
});

/** Words in backticks and link targets that look like a path of ours: with a slash, or a file at the root. */
function pathsIn(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`([A-Za-z0-9_.@/-]+)`/g)].map((match) => match[1] ?? '');
  const linked = [...text.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map((match) => match[1] ?? '');
  const ours = /^(schemas|services|projections|infra|loadtest|docs|test|\.ci)\/|^[A-Z]+\.md$|^package\.json$/;
  return [...quoted.filter((word) => ours.test(word)), ...linked.filter((target) => !/^[a-z]+:/.test(target))].filter(
    (path) => !madeAtRunTime.test(path) && path !== 'running.json',
  );
}

function markdownIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`);
}

function foldersIn(folder: string): readonly string[] {
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
}
