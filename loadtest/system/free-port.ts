import { createServer } from 'node:net';

import { between } from '../orders/seeded-random.ts';

// Below the ports that systems give to outgoing connections (32768 and up): while the server is down, a client that
// keeps connecting to one of those could be given that very port, and talk to itself.
const portMin = 20_000;
const portMax = 32_000;
const attemptsMax = 50;

/** A port that is free on loopback, and stays free while the server that it is for is down. */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < attemptsMax; attempt += 1) {
    const port = between(Math.random, portMin, portMax);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port from ${portMin} to ${portMax}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
