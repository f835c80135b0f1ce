import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { Answer } from './test-process.ts';

/** A folder with mode 0700, and other processes on it; `remove` kills them and removes it. */
export type TestFolder = {
  readonly path: string;
  process(environment?: NodeJS.ProcessEnv): Promise<TestProcess>;
  remove(): Promise<void>;
};

export type TestProcess = {
  readonly pid: number;
  does(order: 'claim' | 'start'): Promise<Answer>;
  kill(): Promise<void>;
};

export async function testFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'order-center-local-'));
  const processes: TestProcess[] = [];
  return {
    path,
    process: async (environment = process.env) => {
      const started = await startProcess(path, environment);
      processes.push(started);
      return started;
    },
    remove: async () => {
      await Promise.all(processes.map((one) => one.kill()));
      await rm(path, { recursive: true, maxRetries: 5 });
    },
  };
}

async function startProcess(folder: string, env: NodeJS.ProcessEnv): Promise<TestProcess> {
  const child = fork(join(import.meta.dirname, 'test-process.ts'), [folder], { env, execArgv: [] });
  await once(child, 'message');
  return {
    pid: child.pid ?? 0,
    does: async (order) => {
      const answered = once(child, 'message');
      child.send(order);
      const [answer] = (await answered) as [Answer];
      return answer;
    },
    kill: () => kill(child),
  };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}
