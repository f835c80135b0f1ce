import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';

import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';

/** The embedded Postgres of this run: the one of `npm start`, with its settings, on a folder that goes with the run. */
export type ScratchPostgres = {
  readonly version: string;
  /** An empty database of its own for the time of `use`. */
  withDatabase<Result>(use: (url: string) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
};

/** The folder is made in the system's temporary folder: set TMPDIR to measure another disk. */
export async function openScratchPostgres(): Promise<ScratchPostgres> {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-bench-'));
  const remove = (): Promise<void> => rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  try {
    const postgres = await startEmbeddedPostgres({ dataDir });
    const [row] = await execute(postgres.url, 'show server_version');
    return {
      version: String(row?.server_version),
      withDatabase: (use) => withDatabase(postgres.url, use),
      close: async () => {
        await postgres.stop();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function withDatabase<Result>(serverUrl: string, use: (url: string) => Promise<Result>): Promise<Result> {
  const name = `bench_${randomUUID().replaceAll('-', '')}`;
  await execute(serverUrl, `create database ${name}`);
  const url = new URL(serverUrl);
  url.pathname = `/${name}`;
  try {
    return await use(url.href);
  } finally {
    await execute(serverUrl, `drop database ${name} with (force)`);
  }
}

async function execute(url: string, sql: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
