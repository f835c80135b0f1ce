import { createConnection } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

import { startServing, type ChildServer } from './child-server.ts';
import { findProgram } from './find-program.ts';
import { openOwnServer, type OwnServer, type Place } from './own-server.ts';

/** A redis-server of our own, which keeps nothing on disk: started again it is empty. */
export type RedisServer = OwnServer & { readonly url: string };

export type RedisServerOptions = {
  /** For the files of a full synchronization with a replica; a temporary folder if absent. */
  readonly folder?: string;
  /** A free one if absent. */
  readonly port?: number;
  /** As on the command line: `['--maxmemory', '2mb']`. */
  readonly args?: readonly string[];
};

const startMaxMs = 10_000;
const pingMaxMs = 1_000;
const endMaxMs = 5_000;

/** @returns the path of redis-server; null where PATH has none */
export function findRedisServer(): Promise<string | null> {
  return findProgram('redis-server');
}

/** @throws Error where there is no redis-server, or it does not start within 10 s */
export async function startRedisServer({ folder, port, args = [] }: RedisServerOptions = {}): Promise<RedisServer> {
  const program = await findRedisServer();
  if (program === null) throw new Error('no redis-server on PATH');
  const launched = (place: Place): Promise<ChildServer> => launch(program, args, place);
  const server = await openOwnServer({ prefix: 'order-center-redis-', folder, port, launch: launched });
  return { ...server, url: `redis://127.0.0.1:${server.port}` };
}

function launch(program: string, args: readonly string[], { folder, port }: Place): Promise<ChildServer> {
  const address = ['--bind', '127.0.0.1', '--port', String(port), '--dir', folder];
  return startServing(
    {
      program,
      args: [...address, '--save', '', '--appendonly', 'no', ...args],
      folder,
      endMaxMs,
    },
    () => untilServes(port),
  );
}

async function untilServes(port: number): Promise<string | null> {
  const deadline = performance.now() + startMaxMs;
  while (performance.now() < deadline) {
    if (await pings(port)) return null;
    await pause(5);
  }
  return `was not ready within ${startMaxMs} ms`;
}

function pings(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1', timeout: pingMaxMs });
    const answer = (isReady: boolean): void => {
      socket.destroy();
      resolve(isReady);
    };
    socket.on('connect', () => socket.write('PING\r\n'));
    // One that wants a password serves, too.
    socket.on('data', (bytes) => answer(/^(\+PONG|-NOAUTH)/.test(bytes.toString())));
    socket.on('error', () => answer(false)).on('timeout', () => answer(false));
  });
}
