import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';
import { openReadStore } from '../../infra/read-store/open.ts';
import { projections } from '../../projections/all.ts';
import type { Position } from '../../schemas/envelope.ts';
import { describeWithPostgres } from '../../test/postgres.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'order-center-start-'));
});
afterEach(async () => {
  // Only a failed test leaves a Postgres behind.
  if (runsPostgres()) await (await startEmbeddedPostgres({ dataDir })).stop();
  await rm(dataDir, { recursive: true, maxRetries: 5 });
});

describeWithPostgres('a start on views of another event store', () => {
  it('ends with the reason and what to do in one line, and leaves nothing running', { timeout: 60_000 }, async () => {
    await makeForeignViews();
    const { code, stderr } = await startAndEnd();
    expect(stderr).toMatch(
      /^order-center: FOREIGN_STORE: [a-z-]+ has followed another event store \(it is at deadbeef\.1\.0\); this one [^\n]* is empty\. Point EVENT_STORE_URL [^\n]*store adopt --yes\.\n$/,
    );
    expect(code).toBe(1);
    expect(runsPostgres()).toBe(false);
    expect(await claims()).toEqual(['']);
  });
});

async function makeForeignViews(): Promise<void> {
  const postgres = await startEmbeddedPostgres({ dataDir });
  const views = openReadStore(postgres.url);
  await views.prepare(projections.map(({ view }) => view));
  const move = { partition: 'log', from: null, to: 'deadbeef.1.0' as Position };
  for (const { view } of projections) await views.moveCheckpoint({ consumer: view.name, ...move });
  await views.close();
  await postgres.stop();
}

/** The real thing. */
async function startAndEnd(): Promise<{ readonly code: number | null; readonly stderr: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 50_000,
    killSignal: 'SIGKILL',
  });
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'close') as Promise<[number | null]>]);
  return { code, stderr };
}

function runsPostgres(): boolean {
  return existsSync(join(dataDir, 'postgres', 'postmaster.pid'));
}

/** What each claim of the folder holds: nothing where it was released. */
async function claims(): Promise<readonly string[]> {
  const owner = join(dataDir, 'owner');
  return Promise.all((await readdir(owner)).map((name) => readFile(join(owner, name), 'utf8')));
}
