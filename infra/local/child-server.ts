import { spawn, type ChildProcess } from 'node:child_process';
import { open, readFile, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

import { within } from '../within.ts';
import { rotateLog } from './rotate-log.ts';
import { identify, isRunning, type ProcessIdentity } from './process-identity.ts';

/** A server that this process started, in a process group of its own: Ctrl-C reaches only us, and we stop it in turn. */
export type ChildServer = {
  readonly pid: number;
  /** Resolves with how it ended. */
  readonly exited: Promise<string>;
  /** By this signal, and by SIGKILL where that takes too long. Repeatable. */
  end(signal: NodeJS.Signals): Promise<void>;
  /** The last lines that it wrote since this start. */
  lastWords(): Promise<string>;
};

export type ChildServerOptions = {
  readonly program: string;
  readonly args: readonly string[];
  /** Claimed. The server's log goes there, and a note of its process for whoever finds the folder after a kill. */
  readonly folder: string;
  readonly endMaxMs: number;
  /** Its whole environment; ours if absent. */
  readonly env?: NodeJS.ProcessEnv;
};

/** An exit that forgot to stop them, or an error that ends the process, must not leave them behind. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const note = 'process.json';
const lastLines = 5;
const lineMax = 300;

/**
 * Starts a server and waits for it.
 * @param serves resolves with null when it serves, or with what it did instead
 * @throws Error what the server said when it did not get there; it has ended then
 */
export async function startServing(
  options: ChildServerOptions,
  serves: () => Promise<string | null>,
): Promise<ChildServer> {
  const server = await startChildServer(options);
  const ended = server.exited.then((how) => `ended at its start (${how})`);
  const problem = await Promise.race([serves(), ended]);
  if (problem === null) return server;
  await server.end('SIGKILL');
  throw new Error(`${basename(options.program)} ${problem}: ${await server.lastWords()}`);
}

async function startChildServer(options: ChildServerOptions): Promise<ChildServer> {
  const { program, args, folder, endMaxMs, env = process.env } = options;
  const logFile = join(folder, 'server.log');
  await rotateLog(logFile);
  const log = await open(logFile, 'a', 0o600);
  const { size } = await log.stat();
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: folder,
      detached: true,
      env,
      stdio: ['ignore', log.fd, log.fd],
    });
  } finally {
    await log.close();
  }
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  running.add(child);
  void exited.then(() => running.delete(child));
  const pid = child.pid ?? 0;
  if (pid !== 0) await writeFile(join(folder, note), JSON.stringify(identify(pid)), { mode: 0o600 });
  return {
    pid,
    exited,
    end: (signal) => ended(child, exited, { signal, endMaxMs }),
    lastWords: async () => wordsOf((await readFile(logFile)).subarray(size).toString()),
  };
}

/** Ends the server that a killed owner of this folder left behind. Needs the claim on the folder. */
export async function endLeftServer(folder: string): Promise<void> {
  const text = await readFile(join(folder, note), 'utf8').catch(() => 'null');
  const left = JSON.parse(text) as ProcessIdentity | null;
  if (left === null || !isRunning(left)) return;
  process.kill(left.pid, 'SIGKILL');
  while (isRunning(left)) await new Promise((resolve) => setTimeout(resolve, 5));
}

type Ending = { readonly signal: NodeJS.Signals; readonly endMaxMs: number };

async function ended(child: ChildProcess, exited: Promise<string>, { signal, endMaxMs }: Ending): Promise<void> {
  child.kill(signal);
  // A stopped process hears no SIGTERM.
  child.kill('SIGCONT');
  if ((await within(endMaxMs, exited)) !== null) return;
  child.kill('SIGKILL');
  await exited;
}

function wordsOf(said: string): string {
  const lines = said.trim().split('\n');
  const telling = lines.filter((line) => /\b(ERROR|FATAL|\w*Exception)\b/.test(line) && !/^\s*at /.test(line));
  return (telling.length > 0 ? telling : lines)
    .slice(-lastLines)
    .map((line) => line.slice(0, lineMax))
    .join(' | ');
}
