import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpServer } from '../http-server/open.ts';
import { protect } from '../resilience/protect.ts';
import { commandDoorContract, envelope, type DoorWorld } from './contract.ts';
import { openCommandDoor } from './open.ts';
import { openOrderDoor, remoteOrders } from './test-order-door.ts';

commandDoorContract('in process', () => Promise.resolve(openOrderDoor()));
commandDoorContract('http', openRemote);

async function openRemote(): Promise<DoorWorld & { readonly url: string; readonly server: HttpServer }> {
  const { serve, ...world } = openOrderDoor();
  const server = await serve();
  const url = await server.listen();
  return { ...world, url, server, door: remoteOrders(url), close: () => server.close() };
}

describe('the http command door', () => {
  let world: Awaited<ReturnType<typeof openRemote>>;
  beforeEach(async () => {
    world = await openRemote();
  });
  afterEach(() => world.close());

  it('repeats a command whose answer was lost, and it has one effect', async () => {
    const orderId = await world.place();
    const road = await listening((request, response) => void passOn(request, response));
    let requests = 0;
    const passOn = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      requests += 1;
      const isFirst = requests === 1;
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(new URL(request.url ?? '', world.url), {
        ...{ method: 'POST', headers, body: await text(request) },
      });
      const body = await answer.text();
      if (isFirst) response.destroy();
      else response.writeHead(answer.status, headers).end(body);
    };
    const door = protect({ send: remoteOrders(road.url).send }, { name: 'orders', timeoutMs: 2_000 });
    const cancel = envelope({ type: 'CancelOrder', orderId, reason: 'late' } as const, 'c1');
    expect(await door.send(cancel)).toEqual({ outcome: 'accepted', version: 2 });
    expect(requests).toBe(2);
    expect(await world.eventsOf(orderId)).toHaveLength(2);
    road.close();
  });

  it('says where nobody is, and that asking again may help', async () => {
    const { port } = new URL(world.url);
    await world.server.close();
    const door = remoteOrders(`http://127.0.0.1:${port}`);
    const command = { type: 'ExpireOrder', orderId: '0b1f0c6c-6a5e-5b67-9a5e-3b1f0c6c1f10' } as never;
    const gone = { code: 'DEPENDENCY_FAILED', retryable: true };
    await expect(door.send(envelope(command, 'c1'))).rejects.toMatchObject(gone);
    await expect(door.ping()).rejects.toMatchObject(gone);
  });

  it('ends the wait for a service that does not answer', async () => {
    const silent = await listening(() => undefined);
    const door = protect({ send: remoteOrders(silent.url).send }, { name: 'orders', timeoutMs: 100, attemptsMax: 2 });
    const begun = performance.now();
    await expect(door.send(envelope({ type: 'ExpireOrder' } as never, 'c1'))).rejects.toMatchObject({
      ...{ code: 'DEPENDENCY_TIMEOUT', retryable: true },
    });
    expect(performance.now() - begun).toBeLessThan(2_000);
    silent.close();
  });

  it('does not take the answer of something else for one of a door', async () => {
    const liar = await listening((_request, response) => response.end('{"outcome":"accepted"}'));
    const door = remoteOrders(liar.url);
    const failed = { code: 'DEPENDENCY_FAILED' };
    await expect(door.send(envelope({ type: 'ExpireOrder' } as never, 'c1'))).rejects.toMatchObject(failed);
    await expect(door.ping()).rejects.toMatchObject(failed);
    liar.close();
  });

  it('is refused for ever at the address of another role', async () => {
    const stock = openCommandDoor({ url: world.url, name: 'stock', read: () => null });
    const refused = { code: 'DEPENDENCY_REFUSED', retryable: false };
    await expect(stock.send(envelope({ type: 'DeductStock' } as never, 'c1'))).rejects.toMatchObject(refused);
    await expect(stock.ping()).rejects.toMatchObject(refused);
  });

  it('is refused with a command that the service does not know, or that holds more than it knows', async () => {
    const orderId = await world.place();
    const refused = { code: 'DEPENDENCY_REFUSED', retryable: false };
    for (const command of [
      { type: 'PlaceOrder', orderId },
      { type: 'ExpireOrder', orderId, force: true },
      { type: 'ExpireOrder', orderId: 'x' },
      { type: 'RequestRefund', orderId, refundId: 'r', paymentId: 'p', amount: -1, reason: 'r' },
    ]) {
      await expect(world.door.send(envelope(command as never, 'c1'))).rejects.toMatchObject(refused);
    }
    expect(await world.eventsOf(orderId)).toHaveLength(1);
  });

  it('keeps its connections', async () => {
    const orderId = await world.place();
    let connections = 0;
    world.server.app.server.on('connection', () => (connections += 1));
    for (let count = 0; count < 20; count += 1) {
      await world.door.send(envelope({ type: 'CancelOrder', orderId, reason: 'once' }, 'c1'));
    }
    // The next request may come before the last answer's socket is seen to be free.
    expect(connections).toBeLessThan(4);
  });

  it('is not in the public document', () => {
    expect(JSON.stringify(world.server.openApi())).not.toContain('/internal');
  });

  it('is there for a ping', async () => {
    await expect(remoteOrders(`${world.url}/`).ping()).resolves.toBeUndefined();
  });

  it('refuses to open by an unknown scheme', () => {
    expect(() => openCommandDoor({ url: 'ftp://x', name: 'orders', read: () => null })).toThrow('http: or https:');
  });
});

async function listening(listener: RequestListener): Promise<{ readonly url: string; readonly close: () => void }> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  const close = (): void => {
    server.closeAllConnections();
    server.close();
  };
  return { url: `http://127.0.0.1:${port}`, close };
}
