import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { endLeftServer, startServing, type ChildServer } from '../../infra/local/child-server.ts';
import type { RoleInstance } from './roles.ts';
import { supervise, type Supervised } from './supervise.ts';

export type RoleLaunch = {
  readonly instance: RoleInstance;
  /** Of the claimed data folder: each process has one of its own in it, with its log. */
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  readonly say: (line: string) => void;
  /** Aborted: the start is not wanted any more. */
  readonly signal: AbortSignal;
};

const services = join(import.meta.dirname, '..');
const answersMaxMs = 60_000;
const askMaxMs = 2_000;
const pollMs = 50;
/** A role drains within 25 s by itself. */
const endMaxMs = 30_000;

/** Starts a role in a process of its own, and again when it dies. @throws Error with its last words */
export async function startRole({ instance, folder, env, say, signal }: RoleLaunch): Promise<Supervised> {
  const own = join(folder, instance.name);
  await mkdir(own, { recursive: true });
  let server: ChildServer;
  const launch = async (stopping: AbortSignal): Promise<ChildServer> => {
    server = await startServing(
      { program: process.execPath, args: [join(services, instance.role, 'main.ts')], folder: own, env, endMaxMs },
      () => untilAlive(instance.url, stopping),
    );
    return server;
  };
  const first = await launch(signal);
  return supervise(first, { name: instance.name, again: launch, end: () => server.end('SIGTERM'), say });
}

/** Ends what a killed stack left: each of its processes noted itself in its folder. Needs the claim on the data folder. */
export async function endLeftRoles(folder: string): Promise<void> {
  const names = await readdir(folder).catch(() => []);
  await Promise.all(names.map((name) => endLeftServer(join(folder, name))));
}

/** Until it is ready, or for so long at most. @returns whether it is */
export async function untilReady(url: string, signal: AbortSignal): Promise<boolean> {
  const deadline = performance.now() + answersMaxMs;
  while (performance.now() < deadline && !signal.aborted) {
    if (await answers(`${url}/readyz`)) return true;
    await pause(pollMs);
  }
  return false;
}

/** Alive and not ready: what it depends on may come later, and another start of it would not help. */
async function untilAlive(url: string, signal: AbortSignal): Promise<string | null> {
  const deadline = performance.now() + answersMaxMs;
  while (performance.now() < deadline) {
    if (signal.aborted) return 'is not wanted any more';
    if (await answers(`${url}/livez`)) return null;
    await pause(pollMs);
  }
  return `does not answer within ${answersMaxMs} ms`;
}

async function answers(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(askMaxMs) }).catch(() => null);
  await answer?.body?.cancel();
  return answer?.ok === true;
}
