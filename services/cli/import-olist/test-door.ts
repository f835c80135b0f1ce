import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

import { toFigures } from './olist-order.ts';
import type { BackfillBody, OrderFigures } from './olist-order.ts';

/** A door in memory with the part of the public API that the import speaks. */
export type TestDoor = {
  readonly url: string;
  /** By idempotency key. */
  readonly orders: Map<string, OrderFigures>;
  /** Answers a request instead of the door, where it returns true. */
  interfere: (request: IncomingMessage, response: ServerResponse) => boolean;
  readonly close: () => Promise<void>;
};

export async function openTestDoor(): Promise<TestDoor> {
  const server = createServer((request, response) => {
    if (!door.interfere(request, response)) void route(door, request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const door: TestDoor = {
    url: `http://127.0.0.1:${port}`,
    orders: new Map(),
    interfere: () => false,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return door;
}

export function answer(response: ServerResponse, status: number, body: unknown): true {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  return true;
}

async function route(door: TestDoor, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '', door.url);
  if (url.pathname === '/livez') return void answer(response, 200, {});
  if (url.pathname === '/v1/orders') return void answer(response, 200, page(door, url.searchParams));
  if (request.method !== 'POST') return void answer(response, 404, { code: 'ORDER_NOT_FOUND' });
  const key = String(request.headers['idempotency-key']);
  const before = door.orders.get(key);
  const order = before ?? toFigures((await json(request)) as BackfillBody);
  door.orders.set(key, order);
  if (before !== undefined) response.setHeader('idempotency-replayed', 'true');
  answer(response, 201, toSummary(order));
}

function page(door: TestDoor, query: URLSearchParams): unknown {
  const from = Number(query.get('cursor') ?? 0);
  const to = from + 2;
  const items = [...door.orders.values()].slice(from, to).map(toSummary);
  return { items, nextCursor: to < door.orders.size ? String(to) : null };
}

function toSummary({
  reference,
  customerId,
  status,
  lines,
  total,
  freight,
  captured,
  refunded,
}: OrderFigures): unknown {
  return {
    reference,
    customerId,
    status,
    lines: Array.from({ length: lines }),
    totals: { total, shipping: freight },
    payment: { captured, refunded },
  };
}

/** The key that a POST came with. */
export function keyOf(request: IncomingMessage): string {
  return String(request.headers['idempotency-key']);
}
