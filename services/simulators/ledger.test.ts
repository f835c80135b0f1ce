import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openLedger } from './ledger.ts';

type Line = { readonly n: number };
let folder: string;
let path: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'order-center-ledger-'));
  path = join(folder, 'simulators', 'ledger.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

it('reads back what it appended, in order', async () => {
  const before = await openLedger<Line>(path);
  expect(before.entries).toEqual([]);
  await Promise.all(Array.from({ length: 500 }, (_, n) => before.append({ n })));
  await before.close();
  const after = await openLedger<Line>(path);
  expect(after.entries).toEqual(Array.from({ length: 500 }, (_, n) => ({ n })));
  await after.close();
});

it('drops a torn last line and goes on behind the whole ones', async () => {
  const before = await openLedger<Line>(path);
  await before.append({ n: 1 });
  await before.close();
  await appendFile(path, '{"n":2,"to');
  const after = await openLedger<Line>(path);
  expect(after.entries).toEqual([{ n: 1 }]);
  await after.append({ n: 3 });
  await after.close();
  expect(await readFile(path, 'utf8')).toBe('{"n":1}\n{"n":3}\n');
});

it('refuses a file with an unreadable line before the last, and leaves it as it is', async () => {
  await (await openLedger<Line>(path)).close();
  await writeFile(path, '{"n":1}\nnot json\n{"n":3}\n');
  await expect(openLedger<Line>(path)).rejects.toThrow('line 2 is not JSON');
  expect((await stat(path)).size).toBe(25);
});

it('is for its owner alone', async () => {
  await (await openLedger<Line>(path)).close();
  expect((await stat(path)).mode & 0o777).toBe(0o600);
});
