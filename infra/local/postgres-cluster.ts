import { execFile } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chown, mkdtemp, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { OperationalFailure } from '../failures.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { choosePostgresUser, commandAs } from './postgres-user.ts';
import type { PostgresUser } from './postgres-user.ts';

/** A made cluster: its folder, its log, who runs it and the superuser's password. */
export type PostgresCluster = {
  readonly folder: string;
  readonly logFile: string;
  readonly binary: string;
  readonly user: PostgresUser;
  readonly password: string;
};

export const superuser = 'order_center';

/**
 * Opens the cluster in `<dataDir>/postgres`, or makes it. Needs the claim on the folder.
 *
 * initdb works in a folder of its own that is renamed when it is complete, so whatever ends it, the next start begins
 * anew. The password is on disk before the cluster that knows it.
 * @throws OperationalFailure POSTGRES_START_FAILED
 */
export async function openPostgresCluster(dataDir: string, binaries: PostgresBinaries): Promise<PostgresCluster> {
  const folder = join(dataDir, 'postgres');
  const user = await choosePostgresUser({ postgres: binaries.postgres, dataDir, cluster: folder });
  const passwordFile = join(dataDir, 'postgres.password');
  const isMade = existsSync(folder);
  const password = (await readPassword(passwordFile)) ?? (isMade ? null : await makePassword(passwordFile));
  if (password === null) throw startFailed(`${passwordFile} is missing, and only it opens ${folder}`);
  await removeUnfinished(dataDir);
  if (!isMade) await makeCluster({ dataDir, folder, user, password, initdb: binaries.initdb });
  return { folder, logFile: join(dataDir, 'postgres.log'), binary: binaries.postgres, user, password };
}

/** The environment of our Postgres programs: PG* would change them behind our back, and UTC saves initdb a search. */
export function postgresEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), TZ: 'UTC' };
}

export function startFailed(reason: string, cause?: unknown): OperationalFailure {
  const detail = `the embedded Postgres does not start: ${reason}`;
  return new OperationalFailure('POSTGRES_START_FAILED', detail, { retryable: false, cause });
}

const unfinishedPrefix = 'postgres.new-';
// It takes a second, and took 12 with seven busy processes on two cores.
const initdbTimeoutMs = 120_000;

async function makeCluster(options: {
  readonly dataDir: string;
  readonly folder: string;
  readonly user: PostgresUser;
  readonly password: string;
  readonly initdb: string;
}): Promise<void> {
  const { dataDir, user, initdb } = options;
  const unfinished = await mkdtemp(join(dataDir, unfinishedPrefix));
  const passwordFile = join(unfinished, 'password');
  await writeFile(passwordFile, options.password, { mode: 0o600 });
  if ('uid' in user.ids) {
    const { uid, gid } = user.ids;
    await Promise.all([unfinished, passwordFile].map((path) => chown(path, uid, gid)));
  }
  const cluster = join(unfinished, 'cluster');
  const { program, args } = commandAs(user, initdb, initdbArguments(cluster, passwordFile));
  try {
    await promisify(execFile)(program, args, {
      cwd: '/',
      env: postgresEnvironment(),
      timeout: initdbTimeoutMs,
      ...user.ids,
    });
  } catch (error) {
    const { stderr = '', message } = error as Error & { readonly stderr?: string };
    throw startFailed(`initdb failed: ${/\S.*/.exec(stderr)?.[0] ?? message}`, error);
  }
  await rename(cluster, options.folder);
  await syncFolder(dataDir);
  await rm(unfinished, { recursive: true });
}

function initdbArguments(cluster: string, passwordFile: string): readonly string[] {
  const encoding = ['--encoding=UTF8', '--locale=C', '--data-checksums'];
  const access = ['--auth=scram-sha-256', `--username=${superuser}`, `--pwfile=${passwordFile}`];
  return ['--pgdata', cluster, ...encoding, ...access, '--no-instructions'];
}

/** What an interrupted initdb left. It may even still run; it then finds its folder gone and gives up. */
async function removeUnfinished(dataDir: string): Promise<void> {
  const left = (await readdir(dataDir)).filter((name) => name.startsWith(unfinishedPrefix));
  const options = { recursive: true, force: true, maxRetries: 5 };
  // One that cannot be removed now costs 40 MB until the next start, which tries again.
  await Promise.allSettled(left.map((name) => rm(join(dataDir, name), options)));
}

async function readPassword(file: string): Promise<string | null> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  });
  return text === '' ? null : text;
}

async function makePassword(file: string): Promise<string> {
  const password = randomBytes(24).toString('base64url');
  const draft = `${file}.${randomUUID()}`;
  await writeFile(draft, password, { mode: 0o600, flush: true });
  await rename(draft, file);
  return password;
}

/** Without this a power cut could undo the rename, and the next start would throw the cluster away as unfinished. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
