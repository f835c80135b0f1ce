import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

export type Started = {
  readonly url: string;
  readonly dataDir: string;
  readonly get: (path: string, accept?: string) => Promise<{ readonly status: number; readonly body: string }>;
  readonly post: (
    path: string,
    key: string,
    body: object,
  ) => Promise<{ readonly status: number; readonly body: string }>;
};

/** `npm start` as its user has it: a process of its own on a Postgres of its own, both gone after the test. */
export async function started(): Promise<Started> {
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-started-'));
  onTestFinished(() => rm(dataDir, { recursive: true, force: true, maxRetries: 5 }));
  const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], {
    env: { PATH: process.env.PATH, DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'silent' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'close');
  onTestFinished(async () => {
    child.kill('SIGTERM');
    await ended;
  });
  const url = await new Promise<string>((resolve, reject) => {
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      const found = /(http:\S+)\/v1\/orders\n/.exec(text)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`the start ended: ${text}`)));
  });
  const ask = async (path: string, init: RequestInit) => {
    const answer = await fetch(`${url}${path}`, init);
    return { status: answer.status, body: await answer.text() };
  };
  return {
    url,
    dataDir,
    get: (path, accept = '*/*') => ask(path, { headers: { accept } }),
    post: (path, key, body) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': key };
      return ask(path, { method: 'POST', headers, body: JSON.stringify(body) });
    },
  };
}

/** Stops Postgres with all its sessions, as a machine that hangs; what it returns lets it go on. */
export async function pausePostgres({ dataDir }: Started): Promise<() => void> {
  const postmaster = Number((await readFile(join(dataDir, 'postgres', 'postmaster.pid'), 'utf8')).split('\n')[0]);
  // The postmaster first: then it starts no session that would be missed.
  process.kill(postmaster, 'SIGSTOP');
  const all = [postmaster, ...childrenOf(postmaster)];
  for (const pid of all) process.kill(pid, 'SIGSTOP');
  const resume = (): void => {
    for (const pid of all) {
      try {
        process.kill(pid, 'SIGCONT');
      } catch {
        // It is gone.
      }
    }
  };
  onTestFinished(resume);
  return resume;
}

function childrenOf(parent: number): readonly number[] {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const pairs = stdout.split('\n').map((line) => line.trim().split(/\s+/).map(Number));
  return pairs.flatMap(([pid, ppid]) => (pid !== undefined && ppid === parent ? [pid] : []));
}
