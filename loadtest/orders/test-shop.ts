import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** The placing door of the public contract, and nothing behind it; `trouble` strikes first. */
export type TestShop = {
  readonly url: string;
  /** Keys as they came in. */
  readonly keys: readonly string[];
  readonly close: () => Promise<void>;
};

/** `forgotten`: the order is placed and the connection cut; a number: a problem with this status. */
export type Trouble = 'forgotten' | number | null;

export async function openTestShop(trouble: (key: string, attempt: number) => Trouble): Promise<TestShop> {
  const keys: string[] = [];
  const orders = new Set<string>();
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      const key = String(request.headers['idempotency-key']);
      keys.push(key);
      const met = trouble(key, keys.filter((known) => known === key).length);
      if (typeof met === 'number') {
        refuse(response, met);
        return;
      }
      const isReplay = orders.has(key);
      orders.add(key);
      if (met === 'forgotten') request.socket.destroy();
      else accept(request, response, isReplay);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    keys,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function accept(request: IncomingMessage, response: ServerResponse, isReplay: boolean): void {
  const orderId = `order of ${String(request.headers['idempotency-key'])}`;
  response.writeHead(201, isReplay ? { 'idempotency-replayed': 'true' } : {});
  response.end(JSON.stringify({ orderId, version: 1 }));
}

function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { 'content-type': 'application/problem+json' });
  response.end(JSON.stringify({ code: status === 503 ? 'STORE_UNAVAILABLE' : 'TOTAL_MISMATCH' }));
}
