import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };
type Variables = Readonly<Record<string, string>>;

/** The real command line, in processes of its own with a folder of their own. */
export type TestCli = {
  readonly folder: string;
  /** In an environment that holds nothing but DATA_DIR and `env`. */
  readonly start: (args: readonly string[], env?: Variables) => ChildProcess;
  readonly run: (args: readonly string[], env?: Variables) => Promise<Ended>;
  /** Kills what still runs and removes the folder. */
  readonly close: () => Promise<void>;
};

export const main = join(import.meta.dirname, 'main.ts');

export async function openTestCli(): Promise<TestCli> {
  const folder = await mkdtemp(join(tmpdir(), 'order-center-cli-'));
  const started: ChildProcess[] = [];
  const start: TestCli['start'] = (args, env = {}) => {
    const child = spawn(process.execPath, [main, ...args], { env: { DATA_DIR: join(folder, 'data'), ...env } });
    started.push(child);
    return child;
  };
  return {
    folder,
    start,
    run: (args, env) => outcomeOf(start(args, env)),
    close: async () => {
      for (const child of started) child.kill('SIGKILL');
      await rm(folder, { recursive: true });
    },
  };
}

export async function outcomeOf(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr, [code]] = await Promise.all([
    child.stdout === null || child.stdout.destroyed ? '' : text(child.stdout),
    child.stderr === null || child.stderr.destroyed ? '' : text(child.stderr),
    once(child, 'close') as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

/** A port on which nobody listens. */
export async function closedPort(): Promise<number> {
  const silent = await openSilentServer();
  await silent.close();
  return silent.port;
}

/** Takes connections and never says a word, as a system that hangs. */
export type SilentServer = {
  readonly port: number;
  readonly connected: Promise<unknown>;
  readonly close: () => Promise<void>;
};

export async function openSilentServer(): Promise<SilentServer> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    server.once('close', () => socket.destroy());
  });
  const connected = once(server, 'connection');
  // Nobody may ask for it.
  connected.catch(() => undefined);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    port,
    connected,
    close: async () => {
      server.close();
      if (server.listening) await once(server, 'close');
    },
  };
}
