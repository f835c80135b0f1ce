import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { within } from '../within.ts';
import { findProgram } from './find-program.ts';
import { freePort } from './free-port.ts';

/** A redis-server of our own on loopback, which keeps nothing on disk. */
export type RedisServer = {
  readonly url: string;
  readonly port: number;
  pid(): number;
  /** SIGKILL, as a crash would; resolves when it is gone. */
  kill(): Promise<void>;
  /** After a kill: empty, on the same port. */
  startAgain(): Promise<void>;
  /** Ends it for good and removes its folder. Repeatable. */
  stop(): Promise<void>;
};

export type RedisServerOptions = {
  /** A free one if absent. */
  readonly port?: number;
  /** As on the command line: `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
};

const portAttemptsMax = 20;
const startMaxMs = 10_000;
const endMaxMs = 5_000;

/** @returns the path of redis-server; null where PATH has none */
export function findRedisServer(): Promise<string | null> {
  return findProgram('redis-server');
}

/** @throws Error where there is no redis-server, or it does not start within 10 s */
export async function startRedisServer({ port, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const program = await findRedisServer();
  if (program === null) throw new Error('no redis-server on PATH');
  // For the files of a full synchronization with a replica.
  const folder = await mkdtemp(join(tmpdir(), 'order-center-redis-'));
  const launch = (on: number): Promise<ChildProcess> => launched(program, ['--dir', folder, ...args], on);
  const first = await (port === undefined ? onFreePort(launch) : launch(port).then((child) => ({ child, port })));
  let child = first.child;
  // An exit that forgot to stop it, or an error that ends the process, must not leave it behind.
  const killAtExit = (): void => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  return {
    url: `redis://127.0.0.1:${first.port}`,
    port: first.port,
    pid: () => child.pid ?? 0,
    kill: () => ended(child, 'SIGKILL'),
    startAgain: async () => {
      child = await launch(first.port);
    },
    stop: async () => {
      process.off('exit', killAtExit);
      // A stopped process hears no SIGTERM.
      child.kill('SIGCONT');
      await ended(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function onFreePort(launch: (port: number) => Promise<ChildProcess>) {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { child: await launch(port), port };
    } catch (error) {
      // Most likely somebody else listens there.
      if (attempt >= portAttemptsMax) throw error;
    }
  }
}

async function launched(program: string, args: readonly string[], port: number): Promise<ChildProcess> {
  const address = ['--bind', '127.0.0.1', '--port', String(port)];
  const child = spawn(program, [...address, '--save', '', '--appendonly', 'no', ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  const ready = new Promise<true>((resolve, reject) => {
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      // What it says after its start must be read, too, or it would wait for a reader; it need not be kept.
      if (said.length < 10_000) said += text;
      if (said.includes('Ready to accept connections')) resolve(true);
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`redis-server ended at its start: ${said.slice(-500)}`)));
  });
  if ((await within(startMaxMs, ready)) !== null) return child;
  await ended(child, 'SIGKILL');
  throw new Error(`redis-server was not ready within ${startMaxMs} ms`);
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise<true>((resolve) => child.once('exit', () => resolve(true)));
  child.kill(signal);
  if ((await within(endMaxMs, gone)) !== null) return;
  child.kill('SIGKILL');
  await gone;
}
