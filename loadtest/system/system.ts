import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

import { findRunning } from '../../infra/local/data-dir.ts';
import { freePort } from './free-port.ts';
import { awaitEnd, childrenOf, identifyAll, killAtOnce, sendSignal } from './processes.ts';

export type Victims = 'node' | 'node-and-postgres';
export type Exit = { readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly tookMs: number };

/** The whole system in one process on a folder of its own; it can die and come back. */
export type System = {
  readonly url: string;
  readonly dataDir: string;
  /** For files of the run; removed with it. */
  readonly folder: string;
  /** Spawns Node and returns at once; the last one must have ended. */
  readonly launch: () => void;
  /** @returns ms from the launch to the first 200 of /readyz. @throws Error with the log's end when it gets not ready */
  readonly awaitReady: () => Promise<number>;
  /** kill -9; returns when they are gone. */
  readonly kill: (victims: Victims) => Promise<void>;
  /** SIGTERM to Node. @throws Error when it has not ended within 30 s */
  readonly terminate: () => Promise<Exit>;
  /** The postmaster that runs on the folder now. */
  readonly postmaster: () => Promise<number | null>;
  /** Ends what is left and removes the folder, unless it is kept. */
  readonly close: () => Promise<void>;
};

export type SystemOptions = {
  readonly name: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly keep: boolean;
};

const root = join(import.meta.dirname, '..', '..');
const readyWithinMs = 60_000;
const endsWithinMs = 30_000;

export async function openSystem({ name, environment = {}, keep }: SystemOptions): Promise<System> {
  const folder = await mkdtemp(join(tmpdir(), `order-center-${name}-`));
  const dataDir = join(folder, 'data');
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = await open(join(folder, 'server.log'), 'a');
  const env = { ...process.env, LOG_LEVEL: 'warn', ...environment, PORT: String(port), DATA_DIR: dataDir };
  let launched: Launched | null = null;
  const current = (): Launched => {
    if (launched === null) throw new Error('the system was not launched');
    return launched;
  };
  const postmaster = (): Promise<number | null> => readPostmaster(dataDir);
  return {
    url,
    dataDir,
    folder,
    postmaster,
    launch: () => {
      const entry = join(root, 'services', 'all-in-one', 'main.ts');
      const child = spawn(process.execPath, [entry], { cwd: root, env, stdio: ['ignore', log.fd, log.fd] });
      launched = { child, at: performance.now() };
    },
    awaitReady: async () => {
      const tookMs = await becomesReady(current(), url, folder);
      await expectPublished(dataDir, current().child);
      return tookMs;
    },
    kill: async (victims) => {
      const postgres = victims === 'node' ? null : await postmaster();
      const postgresPids = postgres === null ? [] : [postgres, ...childrenOf(postgres)];
      // Node first: it starts a Postgres again that dies under it.
      await killAtOnce(identifyAll([current().child.pid ?? 0, ...postgresPids].filter((pid) => pid > 0)));
    },
    terminate: () => terminate(current().child),
    close: async () => {
      await endAll(launched?.child ?? null, dataDir);
      await log.close();
      if (keep) console.log(`kept ${folder}`);
      else await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

type Launched = { readonly child: ChildProcess; readonly at: number };

async function becomesReady({ child, at }: Launched, url: string, folder: string): Promise<number> {
  while (performance.now() - at < readyWithinMs) {
    if (hasEnded(child)) throw new Error(`the server ended while it started\n${await logEnd(folder)}`);
    const status = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      async (answer) => {
        await answer.body?.cancel();
        return answer.status;
      },
      () => 0,
    );
    if (status === 200) return performance.now() - at;
    await wait(20);
  }
  throw new Error(`the server is not ready after ${readyWithinMs / 1_000} s\n${await logEnd(folder)}`);
}

/** What is killed must be Node itself, as running.json names it, and no wrapper. */
async function expectPublished(dataDir: string, child: ChildProcess): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (performance.now() < deadline) {
    if ((await findRunning(dataDir))?.pid === child.pid) return;
    await wait(20);
  }
  throw new Error(`running.json does not name the process ${child.pid} that is ready`);
}

async function terminate(child: ChildProcess): Promise<Exit> {
  const started = performance.now();
  sendSignal(child.pid ?? 0, 'SIGTERM');
  while (!hasEnded(child)) {
    if (performance.now() - started > endsWithinMs) throw new Error('the server does not end after SIGTERM');
    await wait(5);
  }
  return { code: child.exitCode, signal: child.signalCode, tookMs: performance.now() - started };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

async function endAll(child: ChildProcess | null, dataDir: string): Promise<void> {
  if (child !== null && !hasEnded(child)) {
    await terminate(child).catch(() => killAtOnce(identifyAll([child.pid ?? 0])));
  }
  const left = identifyAll([await readPostmaster(dataDir)].filter((pid) => pid !== null));
  for (const { pid } of left) sendSignal(pid, 'SIGQUIT');
  await awaitEnd(left, endsWithinMs);
}

async function readPostmaster(dataDir: string): Promise<number | null> {
  const text = await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8').catch(() => '');
  const pid = Number(text.split('\n')[0]);
  return pid > 0 ? pid : null;
}

async function logEnd(folder: string): Promise<string> {
  const text = await readFile(join(folder, 'server.log'), 'utf8');
  return text.trimEnd().split('\n').slice(-10).join('\n');
}
