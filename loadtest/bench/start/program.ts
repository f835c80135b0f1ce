import { execFileSync, spawn } from 'node:child_process';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** `npm start` on a data folder, from its command line to its end. */
export type Program = {
  /** From the command to the first 200 of /readyz, npm's own start included. */
  readonly readyMs: number;
  /** Resident memory of the Node process now, in MB of 10^6 bytes; npm and Postgres are others. */
  memoryMb(): number;
  stop(): Promise<void>;
};

const root = join(import.meta.dirname, '..', '..', '..');
const mainFile = 'services/all-in-one/main.ts';
const readyWithinMs = 120_000;
const endWithinMs = 20_000;
const pollMs = 10;

export async function startProgram(dataDir: string): Promise<Program> {
  const port = await freePort();
  const startedAt = performance.now();
  const child = spawn('npm', ['start', '--silent'], {
    cwd: root,
    env: { ...process.env, PORT: String(port), DATA_DIR: dataDir, LOG_LEVEL: 'warn' },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  let isRunning = true;
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => {
      isRunning = false;
      resolve();
    });
  });
  const stop = async (): Promise<void> => {
    if (child.pid === undefined || !isRunning) return;
    const node = nodeOf(child.pid);
    process.kill(node?.pid ?? child.pid, 'SIGTERM');
    await Promise.race([ended, sleep(endWithinMs, undefined, { ref: false })]);
  };
  try {
    await untilReady(`http://127.0.0.1:${port}/readyz`, () => isRunning);
  } catch (error) {
    await stop();
    throw error;
  }
  const readyMs = performance.now() - startedAt;
  return { readyMs, memoryMb: () => (nodeOf(child.pid ?? 0)?.memoryKib ?? Number.NaN) * 1.024e-3, stop };
}

async function untilReady(url: string, isRunning: () => boolean): Promise<void> {
  const deadline = Date.now() + readyWithinMs;
  while (Date.now() < deadline) {
    if (!isRunning()) throw new Error('npm start ended before it was ready');
    const answer = await fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => null);
    if (answer?.status === 200) return;
    await sleep(pollMs);
  }
  throw new Error(`npm start was not ready after ${readyWithinMs} ms`);
}

type NodeProcess = { readonly pid: number; readonly memoryKib: number };

/** The product's process among the descendants of npm, as the operating system knows it. */
function nodeOf(npm: number): NodeProcess | null {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' }).split('\n');
  const processes = lines.flatMap((line) => {
    const [, pid, parent, rss, args] = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return args === undefined ? [] : [{ pid: Number(pid), parent: Number(parent), memoryKib: Number(rss), args }];
  });
  const family = new Set([npm]);
  // A child may be listed before its parent: a few rounds find every generation.
  for (let generation = 0; generation < 4; generation += 1) {
    for (const { pid, parent } of processes) if (family.has(parent)) family.add(pid);
  }
  const ours = processes.filter(({ pid, args }) => family.has(pid) && args.includes(mainFile));
  return ours.find(({ args }) => !args.includes('sh -c')) ?? null;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
