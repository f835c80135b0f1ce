import { createServer } from 'node:net';

// Below the ports that systems give to outgoing connections (32768 and up): a client that keeps connecting while the
// server is down could otherwise be given this very port, and talk to itself.
const portMin = 20_000;
const portMax = 32_000;
const attemptsMax = 50;

/** A port of loopback that nobody listens on now. Somebody may before it is used: whoever starts a server tries again. */
export async function freePort(): Promise<number> {
  for (let attempt = 1; attempt <= attemptsMax; attempt += 1) {
    const port = portMin + Math.floor(Math.random() * (portMax - portMin));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port among ${attemptsMax} between ${portMin} and ${portMax}`);
}

/** As many different ones. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
