import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { findRunning } from '../../infra/local/data-dir.ts';
import type { ProcessIdentity } from '../../infra/local/process-identity.ts';
import type { VerbTarget } from '../system/order-center.ts';
import { killAtOnce, sendSignal } from '../system/processes.ts';
import { until } from '../system/until.ts';

/** A stack on a data folder of its own, as `npm run stack` starts it. */
export type RunningStack = VerbTarget & {
  readonly readyMs: number;
  readonly urls: Readonly<Record<string, string>>;
  /** kill -9 of one of its processes, by the name of its folder; returns when it is gone. */
  readonly kill: (name: string) => Promise<void>;
  /** Whether another process of that name runs since `kill` was called. */
  readonly isBack: (name: string) => Promise<boolean>;
  /** SIGINT to the supervisor. @returns its exit code. @throws Error when it has not ended within a minute */
  readonly stop: () => Promise<number | null>;
  /** Ends what is left and removes the folder, unless it is kept. */
  readonly close: () => Promise<void>;
};

const root = join(import.meta.dirname, '..', '..');
/** The first start of a machine fetches Kafka. */
const readyWithinMs = 10 * 60_000;
const endsWithinMs = 60_000;

export type StackLaunch = { readonly args: readonly string[]; readonly keep: boolean };

/** @throws Error with the end of what it said when it gets not ready */
export async function launchStack({ args, keep }: StackLaunch): Promise<RunningStack> {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-stack-'));
  const log = await open(join(dataDir, 'stack.log'), 'a');
  const begun = performance.now();
  const child = spawn(process.execPath, [join(root, 'services', 'stack', 'main.ts'), ...args], {
    cwd: root,
    env: { ...process.env, LOG_LEVEL: 'warn', DATA_DIR: dataDir, PORT: '' },
    stdio: ['ignore', log.fd, log.fd],
  });
  await log.close();
  const stop = (): Promise<number | null> => stopped(child);
  const close = async (): Promise<void> => {
    if (!hasEnded(child)) await stop();
    if (!keep) await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  };
  const urls = await readyUrls(dataDir, child).catch(async (error: unknown) => {
    await close();
    throw error;
  });
  const killed = new Map<string, ProcessIdentity>();
  return {
    dataDir,
    url: urls.http ?? '',
    urls,
    environment: urls.redis === undefined ? {} : { CACHE_URL: urls.redis },
    readyMs: performance.now() - begun,
    kill: async (name) => {
      const victim = await processOf(dataDir, name);
      killed.set(name, victim);
      await killAtOnce([victim]);
    },
    isBack: async (name) => (await processOf(dataDir, name)).pid !== killed.get(name)?.pid,
    stop,
    close,
  };
}

async function readyUrls(dataDir: string, child: ChildProcess): Promise<Readonly<Record<string, string>>> {
  const published = async () => {
    const running = await findRunning(dataDir);
    return running?.pid === child.pid ? running : null;
  };
  await until(async () => hasEnded(child) || (await published()) !== null, { withinMs: readyWithinMs, everyMs: 50 });
  const running = await published();
  if (running !== null) return running.urls;
  const said = await readFile(join(dataDir, 'stack.log'), 'utf8');
  throw new Error(`the stack is not ready: ${said.slice(-2_000)}`);
}

/** Each process of the stack notes itself in its folder (infra/local/child-server.ts). */
async function processOf(dataDir: string, name: string): Promise<ProcessIdentity> {
  const folder = name === 'kafka' || name === 'redis' ? join(dataDir, name) : join(dataDir, 'stack', name);
  return JSON.parse(await readFile(join(folder, 'process.json'), 'utf8')) as ProcessIdentity;
}

async function stopped(child: ChildProcess): Promise<number | null> {
  sendSignal(child.pid ?? 0, 'SIGINT');
  if (!(await until(() => hasEnded(child), { withinMs: endsWithinMs }))) {
    sendSignal(child.pid ?? 0, 'SIGKILL');
    throw new Error('the stack does not end after SIGINT');
  }
  return child.exitCode;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
