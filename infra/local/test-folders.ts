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

type TestProcess = {
  readonly pid: number;
  does(order: 'claim' | 'start'): Promise<Answer>;
  kill(): Promise<void>;
};

export async function testFolder(): Promise<TestFolder> {
  const path = await mkdtemp(join(tmpdir(), 'order-center-local-'));
  const children: ChildProcess[] = [];
  return {
    path,
    process: async (env = process.env) => {
      const child = fork(join(import.meta.dirname, 'test-process.ts'), [path], { env, execArgv: [] });
      children.push(child);
      await once(child, 'message');
      return orders(child);
    },
    remove: async () => {
      await Promise.all(children.filter((child) => !hasEnded(child)).map(kill));
      await rm(path, { recursive: true, maxRetries: 5 });
    },
  };
}

function orders(child: ChildProcess): TestProcess {
  return {
    pid: child.pid ?? 0,
    does: async (order) => {
      const answered = once(child, 'message');
      child.send(order);
      const [answer] = (await answered) as [Answer];
      return answer;
    },
    kill: async () => {
      if (hasEnded(child)) throw new Error('the process ended by itself, so nothing would be proved');
      await kill(child);
    },
  };
}

async function kill(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
