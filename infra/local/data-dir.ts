import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { link, mkdir, readdir, readFile, realpath, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';

import { OperationalFailure } from '../failures.ts';
import { identify, isRunning } from './process-identity.ts';
import type { ProcessIdentity } from './process-identity.ts';

/** The right to use a data folder. It ends with `release()` or with the process, however that ends. */
export type DataDirClaim = { readonly dataDir: string; release(): Promise<void> };

/** The system that runs on a data folder: its process and where it listens. */
export type Running = {
  readonly pid: number;
  readonly urls: Readonly<Record<string, string>>;
  readonly postgresUrl: string;
};

/**
 * Makes the folder when it is missing and claims it for this process; `dataDir` of the claim is its real path.
 *
 * Claims are numbered files in `<dataDir>/owner`; the highest number owns. A claim appears whole (it is linked from a
 * draft), is released by emptying it, and is followed by the next number once it is empty or its process is dead. So
 * two processes that both see a dead owner want the same next number, and only one of them gets it.
 * @throws OperationalFailure DATA_DIR_IN_USE (names the pid), DATA_DIR_UNUSABLE
 */
export async function claimDataDir(dataDir: string): Promise<DataDirClaim> {
  try {
    await makeFolder(join(dataDir, 'owner'));
    const real = await realpath(dataDir);
    const file = await claim(join(real, 'owner'), real);
    return { dataDir: real, release: () => truncate(file).catch(ignoreMissing) };
  } catch (error) {
    throw dataDirUnusable(dataDir, error);
  }
}

/** Tells other processes, as the CLI, how to reach this system. The file holds the password, so only its owner reads it. */
export async function publishRunning(dataDir: string, running: Running): Promise<void> {
  const owner = identify(running.pid);
  const path = join(dataDir, 'running.json');
  const draft = `${path}.${randomUUID()}`;
  await writeFile(draft, JSON.stringify({ ...running, started: owner?.started ?? '' }), { mode: 0o600 });
  await rename(draft, path);
}

/** @returns the system that runs on this folder, or null when none was published or its process is dead */
export async function findRunning(dataDir: string): Promise<Running | null> {
  const text = await readFile(join(dataDir, 'running.json'), 'utf8').catch(() => null);
  const published = parsed(text ?? '') as (Running & { readonly started: string }) | null;
  if (published === null) return null;
  const { started, ...running } = published;
  return isRunning({ pid: running.pid, started }) ? running : null;
}

/** Names what the file system refused; any other error stays what it is. */
export function dataDirUnusable(dataDir: string, cause: unknown): unknown {
  if (!(cause instanceof Error) || !('syscall' in cause)) return cause;
  const detail = `the data folder ${resolve(dataDir)} cannot be used (${cause.message})`;
  return new OperationalFailure('DATA_DIR_UNUSABLE', detail, { retryable: false, cause });
}

/** Not `mkdir` with `recursive`: where a folder exists and takes no children, as /proc, that tries for ever. */
async function makeFolder(folder: string): Promise<void> {
  const parent = dirname(folder);
  try {
    await mkdir(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return;
    if (code !== 'ENOENT' || existsSync(parent)) throw error;
    await makeFolder(parent);
    await mkdir(folder);
  }
}

type Claim = { readonly number: number; readonly owner: ProcessIdentity | null };

// Each lost attempt means that another process moved on in between; it then owns, and we are refused.
const attemptsMax = 20;

async function claim(folder: string, dataDir: string): Promise<string> {
  const draft = join(folder, `draft-${randomUUID()}`);
  await writeFile(draft, JSON.stringify(identify(process.pid)), { mode: 0o600 });
  try {
    for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
      const { number, owner } = await latestClaim(folder);
      if (owner !== null && isRunning(owner)) throw inUse(dataDir, owner.pid);
      const won = await takeNumber(folder, draft, number + 1);
      if (won !== null) return won;
    }
    const detail = `other processes keep claiming the data folder ${dataDir}`;
    throw new OperationalFailure('DATA_DIR_IN_USE', detail, { retryable: true });
  } finally {
    await rm(draft, { force: true });
  }
}

/**
 * Linking a number that was never used decides. A number that was used and cleaned up could be linked again by a
 * process that read the folder long ago; but then a higher number exists for ever after, and it yields.
 */
async function takeNumber(folder: string, draft: string, number: number): Promise<string | null> {
  const mine = join(folder, String(number));
  if (!(await linked(draft, mine))) return null;
  const numbers = await claimNumbers(folder);
  if (numbers.some((other) => other > number)) {
    await rm(mine, { force: true });
    return null;
  }
  await Promise.all(numbers.filter((n) => n < number).map((n) => rm(join(folder, String(n)), { force: true })));
  return mine;
}

async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function latestClaim(folder: string): Promise<Claim> {
  const number = Math.max(0, ...(await claimNumbers(folder)));
  if (number === 0) return { number, owner: null };
  const text = await readFile(join(folder, String(number)), 'utf8').catch(ignoreMissing);
  // Missing: a later claim cleaned it up, and linking the next number will fail or yield to it.
  return { number, owner: parsed(text ?? '') as ProcessIdentity | null };
}

/** Our files appear whole, so one that cannot be read is empty, or what a power cut left of it: its process is dead. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

async function claimNumbers(folder: string): Promise<readonly number[]> {
  return (await readdir(folder)).filter((name) => /^\d+$/.test(name)).map(Number);
}

function inUse(dataDir: string, pid: number): OperationalFailure {
  const detail = `process ${pid} runs on the data folder ${dataDir}; stop it, or choose another DATA_DIR`;
  return new OperationalFailure('DATA_DIR_IN_USE', detail, { retryable: false });
}

function ignoreMissing(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
  throw error;
}
