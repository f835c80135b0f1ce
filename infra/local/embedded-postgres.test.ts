import { execFileSync } from 'node:child_process';
import { constants, existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readFile, rm, stat, truncate, watch, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.ts';
import { identify } from './process-identity.ts';
import { testFolder } from './test-folders.ts';
import type { TestFolder } from './test-folders.ts';

let template: TestFolder;
let folder: TestFolder;
let dataDir: string;
let started: EmbeddedPostgres[];

// initdb takes a second, so one made and stopped cluster is copied where the making does not matter.
beforeAll(async () => {
  template = await testFolder();
  await (await startEmbeddedPostgres({ dataDir: template.path })).stop();
});

afterAll(() => template.remove());

beforeEach(async () => {
  folder = await testFolder();
  dataDir = folder.path;
  started = [];
});

afterEach(async () => {
  await Promise.all(started.map((postgres) => postgres.stop()));
  await folder.remove();
});

async function start(options: Omit<EmbeddedPostgresOptions, 'dataDir'> = {}): Promise<EmbeddedPostgres> {
  const postgres = await startEmbeddedPostgres({ dataDir, ...options });
  started.push(postgres);
  return postgres;
}

async function query(url: string, sql: string): Promise<readonly unknown[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows.flat();
  } finally {
    await client.end();
  }
}

/** Another process starts Postgres, writes a row, and is killed. @returns the pid of the Postgres it leaves */
async function leftByKilledOwner(environment?: NodeJS.ProcessEnv): Promise<number> {
  const owner = await folder.process(environment);
  const answer = await owner.does('start');
  if (answer.outcome === 'refused') throw new Error(answer.failure);
  await query(answer.url, 'create table kept as select 42 as answer');
  await owner.kill();
  return answer.pid;
}

async function givenMadeCluster(): Promise<void> {
  await cp(template.path, dataDir, { recursive: true, mode: constants.COPYFILE_FICLONE });
}

async function kept(postgres: EmbeddedPostgres): Promise<readonly unknown[]> {
  return query(postgres.url, 'select answer from kept');
}

const asRoot = process.getuid?.() === 0;

describe('startEmbeddedPostgres', () => {
  it('makes a durable UTF-8 cluster with checksums, and finds its data again after a stop', async () => {
    const first = await start();
    const settings = await query(
      first.url,
      `select setting from pg_settings where name in
       ('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses', 'server_encoding', 'synchronous_commit',
        'unix_socket_directories') order by name`,
    );
    expect(settings).toEqual(['on', 'on', 'on', '127.0.0.1', 'UTF8', 'on', '']);
    await query(first.url, 'create table kept as select 42 as answer');
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await kept(await start())).toEqual([42]);
  });

  it('keeps its password out of arguments and log, and its secrets from other users', async () => {
    await givenMadeCluster();
    const { url, pid } = await start();
    const { password } = new URL(url);
    await query(url, 'select no_such_column').catch(() => null);
    const commandLine = execFileSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' });
    expect(commandLine).not.toContain(password);
    expect(await readFile(join(dataDir, 'postgres.log'), 'utf8')).not.toContain(password);
    const { mode } = await stat(join(dataDir, 'postgres.password'));
    expect(mode & 0o777).toBe(0o600);
  });

  it('gives Postgres further settings, and stops in the same way when asked twice', async () => {
    await givenMadeCluster();
    const postgres = await start({ settings: { wal_level: 'logical' } });
    expect(await query(postgres.url, 'show wal_level')).toEqual(['logical']);
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(identify(postgres.pid)).toBeNull();
  });

  it('adopts the Postgres of a killed owner, with its data', async () => {
    await givenMadeCluster();
    const pid = await leftByKilledOwner();
    const adopted = await start();
    expect(adopted.pid).toBe(pid);
    expect(await kept(adopted)).toEqual([42]);
    await adopted.stop();
    expect(await adopted.exited).toEqual({ code: null, signal: null });
    expect(identify(pid)).toBeNull();
  });

  it('replaces the Postgres of a killed owner when other settings are wanted', async () => {
    await givenMadeCluster();
    const pid = await leftByKilledOwner();
    const other = await start({ settings: { max_connections: '50' } });
    expect(other.pid).not.toBe(pid);
    expect(identify(pid)).toBeNull();
    expect(await kept(other)).toEqual([42]);
  });

  it('replaces the Postgres of a killed owner when it does not answer', async () => {
    await givenMadeCluster();
    const pid = await leftByKilledOwner();
    await writeFile(join(dataDir, 'postgres.password'), 'not-its-password');
    await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_START_FAILED' });
    expect(identify(pid)).toBeNull();
  });

  it('recovers when the owner and Postgres are both killed', async () => {
    await givenMadeCluster();
    const pid = await leftByKilledOwner();
    process.kill(pid, 'SIGKILL');
    const again = await start();
    expect(again.pid).not.toBe(pid);
    expect(await kept(again)).toEqual([42]);
  });

  it('starts when the number in a stale pid file belongs to a stranger by now', async () => {
    await givenMadeCluster();
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${process.pid}\n`);
    const postgres = await start();
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
  });

  it('refuses a living twin and names its process', async () => {
    await givenMadeCluster();
    const twin = await folder.process();
    expect(await twin.does('start')).toMatchObject({ outcome: 'done' });
    const message: unknown = expect.stringContaining(`process ${twin.pid} `);
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', message });
    await twin.kill();
    await start();
  });

  it('lets exactly one of two processes start that begin together', async () => {
    const twins = await Promise.all([folder.process(), folder.process()]);
    const answers = await Promise.all(twins.map((twin) => twin.does('start')));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['done', 'refused']);
    await Promise.all(twins.map((twin) => twin.kill()));
    await start();
  });

  it('tells that Postgres died, whether it was started or adopted', async () => {
    await givenMadeCluster();
    const launched = await start();
    process.kill(launched.pid, 'SIGKILL');
    expect(await launched.exited).toEqual({ code: null, signal: 'SIGKILL' });
    await launched.stop();
    await leftByKilledOwner();
    const adopted = await start();
    process.kill(adopted.pid, 'SIGKILL');
    expect(await adopted.exited).toEqual({ code: null, signal: null });
  });

  it('waits for a backend that outlives a killed Postgres', async () => {
    await givenMadeCluster();
    const killed = await start();
    const client = new pg.Client({ connectionString: killed.url });
    client.on('error', () => null);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = rows[0]?.pid ?? 0;
    process.kill(backend, 'SIGSTOP');
    process.kill(killed.pid, 'SIGKILL');
    await killed.exited;
    await killed.stop();
    const lines = watchLog('pre-existing shared memory block');
    const again = start();
    await lines;
    process.kill(backend, 'SIGCONT');
    expect(await query((await again).url, 'select 1')).toEqual([1]);
    await client.end().catch(() => null);
  });
});

describe('a cluster in the making', () => {
  it('is made anew after a kill in the middle of initdb', async () => {
    const owner = await folder.process();
    const unfinished = firstEntry(dataDir, 'postgres.new-');
    void owner.does('start');
    const cluster = join(dataDir, await unfinished, 'cluster');
    await firstEntry(join(cluster, '..'), 'cluster');
    await owner.kill();
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
    const postgres = await start();
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
    expect(existsSync(cluster)).toBe(false);
  });

  it('is removed when only leftovers of an earlier one are there', async () => {
    const left = await mkdtemp(join(dataDir, 'postgres.new-'));
    await mkdir(join(left, 'cluster', 'base'), { recursive: true });
    await start();
    expect(existsSync(left)).toBe(false);
  });
});

describe('a Postgres that cannot start', () => {
  it('is refused where the data folder is a file', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    await expect(startEmbeddedPostgres({ dataDir: file })).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  });

  it('gives the reason from the log for a cluster of another major version, and leaves the folder free', async () => {
    await givenMadeCluster();
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    const message: unknown = expect.stringMatching(/database files are incompatible.*version 17/);
    await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_START_FAILED', message });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '18\n');
    await start();
  });

  it('names the missing password of an existing cluster', async () => {
    await givenMadeCluster();
    await rm(join(dataDir, 'postgres.password'));
    const message: unknown = expect.stringContaining('postgres.password is missing');
    await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_START_FAILED', message });
  });
});

describe('the log', () => {
  it('begins anew at a start that finds more than 16 MB', async () => {
    await givenMadeCluster();
    const logFile = join(dataDir, 'postgres.log');
    await writeFile(logFile, 'old');
    await truncate(logFile, 17 * 1024 * 1024);
    await start();
    expect((await stat(logFile)).size).toBeLessThan(1024 * 1024);
    expect(existsSync(`${logFile}.1`)).toBe(true);
  });
});

describe.skipIf(!asRoot)('as root', () => {
  it('runs as nobody in folders that only root can enter', async () => {
    const { mode } = await stat(dataDir);
    expect(mode & 0o777).toBe(0o700);
    const postgres = await start();
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
  });
});

/** Resolves when the log holds this text. */
async function watchLog(text: string): Promise<void> {
  const logFile = join(dataDir, 'postgres.log');
  for await (const _ of watch(logFile, { signal: AbortSignal.timeout(10_000) })) {
    if ((await readFile(logFile, 'utf8')).includes(text)) return;
  }
}

async function firstEntry(parent: string, prefix: string): Promise<string> {
  const signal = AbortSignal.timeout(10_000);
  for await (const { filename } of watch(parent, { signal })) {
    if (filename?.startsWith(prefix) === true) return filename;
  }
  throw new Error(`nothing appeared in ${parent}`);
}
