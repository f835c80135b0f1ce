import { createConnection, createServer, type Server, type Socket } from 'node:net';

/** An address on loopback that leads to one port after another, or into the dark. */
export type TcpSwitch = {
  readonly port: number;
  /** From now on it leads there. Open connections are cut, or carried over as a proxy does that hides a failover. */
  to(port: number, connections: 'cut' | 'carry-over'): void;
  /** Nothing passes, and nobody is told. */
  silence(): void;
  close(): Promise<void>;
};

type Line = { readonly client: Socket; upstream: Socket };

export async function openTcpSwitch(firstPort: number): Promise<TcpSwitch> {
  const lines = new Set<Line>();
  let target = firstPort;
  let isSilent = false;
  const server = createServer((client) => {
    const line: Line = { client, upstream: createConnection(target, '127.0.0.1') };
    lines.add(line);
    const cut = (): void => {
      lines.delete(line);
      client.destroy();
      line.upstream.destroy();
    };
    client.on('data', (bytes) => {
      if (!isSilent) line.upstream.write(bytes);
    });
    client.on('error', cut).on('close', cut);
    lead(line, cut, () => isSilent);
  });
  await listening(server);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    to: (port, connections) => {
      target = port;
      isSilent = false;
      for (const line of lines) {
        const before = line.upstream;
        if (connections === 'cut') {
          line.client.destroy();
          continue;
        }
        line.upstream = createConnection(port, '127.0.0.1');
        lead(line, () => line.client.destroy(), () => isSilent); // prettier-ignore
        before.destroy();
      }
    },
    silence: () => void (isSilent = true),
    close: () => {
      for (const { client, upstream } of lines) {
        client.destroy();
        upstream.destroy();
      }
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function lead(line: Line, cut: () => void, isSilent: () => boolean): void {
  const { upstream } = line;
  // What was carried over has another upstream by then: the end of the old one cuts nobody.
  const cutIfCurrent = (): void => {
    if (line.upstream === upstream) cut();
  };
  upstream.on('data', (bytes) => {
    if (!isSilent()) line.client.write(bytes);
  });
  upstream.on('error', cutIfCurrent).on('close', cutIfCurrent);
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
}
