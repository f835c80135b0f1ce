import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { startEmbeddedPostgres } from './embedded-postgres.ts';
import type { EmbeddedPostgres, EmbeddedPostgresOptions } from './embedded-postgres.ts';
import { identify } from './process-identity.ts';
import { testFolder } from './test-folders.ts';
import type { TestFolder } from './test-folders.ts';

let folder: TestFolder;
let dataDir: string;
let started: EmbeddedPostgres[] = [];

async function openFolder(): Promise<void> {
  folder = await testFolder();
  dataDir = folder.path;
}

async function closeFolder(): Promise<void> {
  await stopAll();
  // Only a failed test leaves a Postgres behind.
  if (existsSync(join(dataDir, 'postgres', 'postmaster.pid'))) await (await startEmbeddedPostgres({ dataDir })).stop();
  await folder.remove();
}

async function stopAll(): Promise<void> {
  await Promise.all(started.map((postgres) => postgres.stop()));
  started = [];
}

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

/** Another process starts Postgres, a row is written, and the process is killed. @returns the pid of that Postgres */
async function leftByKilledOwner(environment?: NodeJS.ProcessEnv): Promise<number> {
  const owner = await folder.process(environment);
  const answer = await owner.does('start');
  if (answer.outcome === 'refused') throw new Error(answer.failure);
  await query(answer.url, 'drop table if exists kept');
  await query(answer.url, `create table kept as select ${answer.pid} as by_pid`);
  await owner.kill();
  return answer.pid;
}

async function kept(postgres: EmbeddedPostgres): Promise<readonly unknown[]> {
  return query(postgres.url, 'select by_pid from kept');
}

/** Acts while the file holds another text. */
async function whileHolding(path: string, text: string, act: () => Promise<void>): Promise<void> {
  const before = await readFile(path);
  await writeFile(path, text);
  await act().finally(() => writeFile(path, before));
}

const asRoot = process.getuid?.() === 0;

describe('startEmbeddedPostgres in an empty folder', () => {
  beforeEach(openFolder);
  afterEach(closeFolder);

  it('makes a durable UTF-8 cluster with checksums in a folder with mode 0700, and finds its data again', async () => {
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
    const first = await start();
    const settings = await query(
      first.url,
      `select setting from pg_settings where name in
       ('data_checksums', 'fsync', 'full_page_writes', 'listen_addresses', 'server_encoding', 'synchronous_commit',
        'unix_socket_directories') order by name`,
    );
    expect(settings).toEqual(['on', 'on', 'on', '127.0.0.1', 'UTF8', 'on', '']);
    await query(first.url, `create table kept as select ${first.pid} as by_pid`);
    await first.stop();
    expect(await first.exited).toEqual({ code: 0, signal: null });
    expect(await kept(await start())).toEqual([first.pid]);
  });

  it('makes the cluster anew after a kill in the middle of initdb', async () => {
    const owner = await folder.process();
    void owner.does('start');
    const unfinished = await vi.waitFor(clusterInTheMaking, { timeout: 10_000, interval: 5 });
    await owner.kill();
    expect(existsSync(join(dataDir, 'postgres'))).toBe(false);
    const postgres = await start();
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
    expect(existsSync(unfinished)).toBe(false);
  });

  it('lets exactly one of two processes start that begin together', async () => {
    const twins = await Promise.all([folder.process(), folder.process()]);
    const answers = await Promise.all(twins.map((twin) => twin.does('start')));
    expect(answers.map(({ outcome }) => outcome).sort()).toEqual(['done', 'refused']);
    await Promise.all(twins.map((twin) => twin.kill()));
    await start();
  });

  it('refuses a data folder that is a file', async () => {
    const file = join(dataDir, 'file');
    await writeFile(file, '');
    await expect(startEmbeddedPostgres({ dataDir: file })).rejects.toMatchObject({ code: 'DATA_DIR_UNUSABLE' });
  });
});

// initdb takes a second, so these share one cluster; each begins with it stopped, and puts back what it breaks.
describe('startEmbeddedPostgres on a made cluster', () => {
  beforeAll(async () => {
    await openFolder();
    await (await startEmbeddedPostgres({ dataDir })).stop();
  });
  afterEach(stopAll);
  afterAll(closeFolder);

  it('keeps its password out of arguments and log, and its secrets from other users', async () => {
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
    const postgres = await start({ settings: { wal_level: 'logical' } });
    expect(await query(postgres.url, 'show wal_level')).toEqual(['logical']);
    await Promise.all([postgres.stop(), postgres.stop()]);
    expect(identify(postgres.pid)).toBeNull();
  });

  it('adopts the Postgres of a killed owner, with its data', async () => {
    const pid = await leftByKilledOwner();
    const adopted = await start();
    expect(adopted.pid).toBe(pid);
    expect(await kept(adopted)).toEqual([pid]);
    await adopted.stop();
    expect(await adopted.exited).toEqual({ code: null, signal: null });
    expect(identify(pid)).toBeNull();
  });

  it('replaces the Postgres of a killed owner when other settings are wanted', async () => {
    const pid = await leftByKilledOwner();
    const other = await start({ settings: { max_connections: '50' } });
    expect(other.pid).not.toBe(pid);
    expect(identify(pid)).toBeNull();
    expect(await kept(other)).toEqual([pid]);
  });

  it('replaces the Postgres of a killed owner when it does not answer', async () => {
    const pid = await leftByKilledOwner();
    await whileHolding(join(dataDir, 'postgres.password'), 'not-its-password', async () => {
      await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_START_FAILED' });
    });
    expect(identify(pid)).toBeNull();
  });

  it('recovers when the owner and Postgres are both killed', async () => {
    const pid = await leftByKilledOwner();
    process.kill(pid, 'SIGKILL');
    const again = await start();
    expect(again.pid).not.toBe(pid);
    expect(await kept(again)).toEqual([pid]);
  });

  it('starts when the number in a stale pid file belongs to a stranger by now', async () => {
    await writeFile(join(dataDir, 'postgres', 'postmaster.pid'), `${process.pid}\n`);
    const postgres = await start();
    expect(await query(postgres.url, 'select 1')).toEqual([1]);
  });

  it('refuses a living twin and names its process', async () => {
    const twin = await folder.process();
    expect(await twin.does('start')).toMatchObject({ outcome: 'done' });
    const message: unknown = expect.stringContaining(`process ${twin.pid} `);
    await expect(start()).rejects.toMatchObject({ code: 'DATA_DIR_IN_USE', message });
    await twin.kill();
    await start();
  });

  it.each([
    ['started', start],
    ['adopted', () => leftByKilledOwner().then(() => start())],
  ])('starts a Postgres that died again at the same url, also one that was %s', async (_how, open) => {
    const postgres = await open();
    const { pid } = postgres;
    process.kill(pid, 'SIGKILL');
    await vi.waitFor(async () => expect(await query(postgres.url, 'select 1')).toEqual([1]), { timeout: 15_000 });
    expect(postgres.pid).not.toBe(pid);
  });

  it('gives up on a Postgres that dies again and again, and says how it ended', async () => {
    const postgres = await start();
    for (let deaths = 0; deaths < 6; deaths += 1) {
      const { pid } = postgres;
      process.kill(pid, 'SIGKILL');
      if (deaths < 5) await vi.waitFor(() => expect(postgres.pid).not.toBe(pid), { timeout: 15_000 });
    }
    expect(await postgres.exited).toEqual({ code: null, signal: 'SIGKILL' });
  });

  it('waits for a backend that outlives a killed Postgres', async () => {
    const postgres = await start();
    const client = new pg.Client({ connectionString: postgres.url });
    client.on('error', () => null);
    await client.connect();
    const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
    const backend = rows[0]?.pid ?? 0;
    process.kill(backend, 'SIGSTOP');
    process.kill(postgres.pid, 'SIGKILL');
    const logged = (): Promise<string> => readFile(join(dataDir, 'postgres.log'), 'utf8');
    await vi.waitFor(async () => expect(await logged()).toContain('pre-existing shared memory block'), {
      timeout: 9_000,
    });
    process.kill(backend, 'SIGCONT');
    await vi.waitFor(async () => expect(await query(postgres.url, 'select 1')).toEqual([1]), { timeout: 15_000 });
    await client.end().catch(() => null);
  });

  it('gives the reason from the log for a cluster of another major version, and leaves the folder free', async () => {
    const message: unknown = expect.stringMatching(/database files are incompatible.*version 17/);
    await whileHolding(join(dataDir, 'postgres', 'PG_VERSION'), '17\n', async () => {
      await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_START_FAILED', message });
    });
    await start();
  });

  it('names the missing password of a cluster', async () => {
    const message: unknown = expect.stringContaining('postgres.password is missing');
    await whileHolding(join(dataDir, 'postgres.password'), '', async () => {
      await expect(start()).rejects.toMatchObject({ code: 'POSTGRES_START_FAILED', message });
    });
  });

  it('begins the log anew when it holds more than 16 MB', async () => {
    const logFile = join(dataDir, 'postgres.log');
    await truncate(logFile, 17 * 1024 * 1024);
    await start();
    expect((await stat(logFile)).size).toBeLessThan(1024 * 1024);
    expect(existsSync(`${logFile}.1`)).toBe(true);
  });
});

describe.skipIf(!asRoot)('startEmbeddedPostgres as root', () => {
  beforeEach(openFolder);
  afterEach(closeFolder);

  it('gives the cluster to a system user where unshare is missing, and adopts it from there', async () => {
    await chmod(dataDir, 0o755);
    const pid = await leftByKilledOwner(await withoutUnshare());
    expect((await stat(join(dataDir, 'postgres'))).uid).not.toBe(0);
    const adopted = await start();
    expect(adopted.pid).toBe(pid);
    expect(await kept(adopted)).toEqual([pid]);
  });

  it('says what to do where unshare is missing and no other user can enter', async () => {
    const refused = leftByKilledOwner(await withoutUnshare());
    await expect(refused).rejects.toThrow(/POSTGRES_START_FAILED.*EVENT_STORE_URL/);
  });
});

/** An environment in which `sh` is the only program. */
async function withoutUnshare(): Promise<NodeJS.ProcessEnv> {
  const bin = join(dataDir, 'bin');
  await mkdir(bin);
  await symlink('/bin/sh', join(bin, 'sh'));
  return { ...process.env, PATH: bin };
}

/** The folder that initdb fills; throws while there is none. */
async function clusterInTheMaking(): Promise<string> {
  const parent = (await readdir(dataDir)).find((name) => name.startsWith('postgres.new-')) ?? '';
  const cluster = join(dataDir, parent, 'cluster');
  expect(existsSync(cluster)).toBe(true);
  return cluster;
}
