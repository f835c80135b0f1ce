import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { identifyAll, killAtOnce, sendSignal } from './processes.ts';
import { until } from './until.ts';

export type RoleName =
  'event-relay' | 'order-commands' | 'inventory' | 'order-queries' | 'projector' | 'fulfillment' | 'simulators';

/** One role in a process of its own, ready. */
export type RoleProcess = {
  readonly role: RoleName;
  readonly pid: number;
  /** Its exit code once it ended, however it did; null: by a signal. */
  readonly ended: Promise<number | null>;
  /** What it prints when it is ready, from the first http:// on; the simulators print three lines. */
  readonly urls: readonly string[];
  /** kill -9; returns when it is gone. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP: it keeps its memory, its sockets and what it believes in. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** SIGTERM. @returns its exit code. @throws Error when it has not ended within 30 s */
  readonly terminate: () => Promise<number | null>;
  /** The values of one metric, by the rest of their series, as `{lease="fulfillment"}`; null: it does not answer. */
  readonly metric: (name: string) => Promise<ReadonlyMap<string, number> | null>;
};

export type LaunchOptions = {
  readonly environment: Readonly<Record<string, string>>;
  /** For its log, `<role>.log`, which roles of one name share. */
  readonly folder: string;
  /** Any free one if absent; one that others know it by, where it is to come back there. */
  readonly port?: number;
};

const root = join(import.meta.dirname, '..', '..');
const readyWithinMs = 60_000;
const endsWithinMs = 30_000;

/** @throws Error when it ends, or is not ready within 60 s */
export async function launchRole(role: RoleName, options: LaunchOptions): Promise<RoleProcess> {
  const { environment, folder, port = 0 } = options;
  const log = await open(join(folder, `${role}.log`), 'a');
  const child = spawn(process.execPath, [join(root, 'services', role, 'main.ts')], {
    cwd: root,
    env: { ...process.env, LOG_LEVEL: 'warn', ...environment, PORT: String(port) },
    stdio: ['ignore', 'pipe', log.fd],
  });
  await log.close();
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const kill = (): Promise<void> => killAtOnce(identifyAll([child.pid ?? 0]));
  const urls = await readUrls(child, role === 'simulators' ? 3 : 1).catch(async (error: unknown) => {
    await kill();
    throw error;
  });
  return {
    role,
    pid: child.pid ?? 0,
    ended,
    urls,
    kill,
    pause: () => sendSignal(child.pid ?? 0, 'SIGSTOP'),
    resume: () => sendSignal(child.pid ?? 0, 'SIGCONT'),
    terminate: async () => {
      sendSignal(child.pid ?? 0, 'SIGTERM');
      const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
      if (!(await until(hasEnded, { withinMs: endsWithinMs }))) throw new Error(`${role} does not end after SIGTERM`);
      return child.exitCode;
    },
    metric: (name) => readMetric(`${urls[0] ?? ''}/metrics`, name),
  };
}

async function readUrls(child: ChildProcess, count: number): Promise<readonly string[]> {
  const urls: string[] = [];
  const late = setTimeout(() => child.kill('SIGKILL'), readyWithinMs);
  if (child.stdout === null) throw new Error('no stdout');
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /http:\/\/\S+/.exec(line)?.[0];
    if (url !== undefined) urls.push(url);
    if (urls.length === count) break;
  }
  clearTimeout(late);
  // What it prints later is read and dropped, so that it never waits for us.
  child.stdout.resume();
  if (urls.length < count) throw new Error(`${child.spawnargs.join(' ')} ended, or was not ready in time`);
  return urls;
}

async function readMetric(url: string, name: string): Promise<ReadonlyMap<string, number> | null> {
  const text = await fetch(url, { signal: AbortSignal.timeout(2_000) }).then(
    (answer) => answer.text(),
    () => null,
  );
  if (text === null) return null;
  const samples = text.matchAll(new RegExp(`^${name}(\\{.*?\\}) (\\S+)`, 'gm'));
  return new Map([...samples].map(([, labels = '', value]) => [labels, Number(value)]));
}
