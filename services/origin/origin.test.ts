import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { openHttpServer, type HttpServer } from '../../infra/http-server/open.ts';
import { openMetrics } from '../../infra/metrics/open.ts';
import { apiDescription } from '../../schemas/api-description.ts';
import { upstreamRoles, type UpstreamRole } from './routing.ts';
import { wireOrigin } from './wire.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;
type Upstream = { readonly url: string; close(): Promise<void> };

let upstreams: Upstream[];
let origins: HttpServer[];

beforeEach(() => {
  upstreams = [];
  origins = [];
});

afterEach(async () => {
  await Promise.all(origins.map((origin) => origin.close()));
  await Promise.all(upstreams.map((upstream) => upstream.close()));
});

async function upstream(handler: Handler): Promise<Upstream> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const opened: Upstream = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  upstreams.push(opened);
  return opened;
}

/** An origin whose roles all answer by `handler`, but for those that are given. */
async function origin(handler: Handler, given: Partial<Record<UpstreamRole, readonly string[]>> = {}): Promise<string> {
  const { url } = await upstream(handler);
  const words = upstreamRoles.flatMap((role) => (given[role] ?? [url]).map((one) => `${role}=${one}`));
  const { routes, readiness } = wireOrigin({ upstreams: words });
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
    metrics: openMetrics(),
    api: { ...apiDescription, document: { openapi: '3.1.0', paths: { '/v1/orders': {} } } },
    routes,
    readiness,
    drainGraceMs: 0,
  });
  origins.push(server);
  return server.listen();
}

type Seen = { readonly method: string; readonly url: string; readonly headers: IncomingMessage['headers'] };

/** Answers with what came. */
const echo: Handler = (request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const { method = '', url = '', headers } = request;
    response.writeHead(201, { 'content-type': 'application/problem+json', etag: '"1"', location: '/v1/orders/7' });
    response.end(JSON.stringify({ method, url, headers, body: Buffer.concat(chunks).toString() }));
  });
};

/** @returns the status, and the path that came out behind, if one did */
function askRaw(url: string, path: string): Promise<{ readonly status: number; readonly path?: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(url);
    const asking = request({ hostname, port, path }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part: string) => (text += part));
      answer.on('end', () => {
        const status = answer.statusCode ?? 0;
        resolve(status === 201 ? { status, path: (JSON.parse(text) as Seen).url } : { status });
      });
    });
    asking.on('error', reject).end();
  });
}

const gone = 'http://127.0.0.1:1';

describe('the origin', () => {
  it('passes a request on as it came, and the answer back as it came', async () => {
    const url = await origin(echo);
    const body = '{"a":1,"a":2,  "broken';
    const answer = await fetch(`${url}/v1/orders?dryRun=true&x=%2F`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': 'k', 'if-match': '"3"' },
      body,
    });
    expect(answer.status).toBe(201);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'content-type': 'application/problem+json',
      etag: '"1"',
      location: '/v1/orders/7',
    });
    const seen = (await answer.json()) as Seen & { readonly body: string };
    expect(seen).toMatchObject({ method: 'POST', url: '/v1/orders?dryRun=true&x=%2F', body });
    expect(seen.headers).toMatchObject({ 'idempotency-key': 'k', 'if-match': '"3"' });
  });

  it('says who asks, and believes nothing that the asker says of itself', async () => {
    const url = await origin(echo);
    const claims = { 'x-forwarded-for': '8.8.8.8', 'x-forwarded-proto': 'https', forwarded: 'for=8.8.8.8' };
    const { headers } = (await (await fetch(`${url}/v1/orders`, { headers: claims })).json()) as Seen;
    expect(headers).toMatchObject({
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
      'x-forwarded-host': new URL(url).host,
    });
    expect(headers.forwarded).toBeUndefined();
    expect(headers.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });

  it("keeps a caller's trace", async () => {
    const url = await origin(echo);
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { headers } = (await (await fetch(`${url}/v1/orders`, { headers: { traceparent } })).json()) as Seen;
    expect(headers.traceparent).toBe(traceparent);
  });

  it('passes each part of a stream on when it comes, and ends the stream behind it when its reader leaves', async () => {
    const left = Promise.withResolvers<undefined>();
    let more: (text: string) => void = () => undefined;
    const url = await origin((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      more = (text) => void response.write(text);
      more('id: 1\n\n');
      response.on('close', () => left.resolve(undefined));
    });
    const leaving = new AbortController();
    const answer = await fetch(`${url}/v1/stream`, { signal: leaving.signal });
    const reader = answer.body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('id: 1\n\n');
    // The second part is written only when the first one has arrived.
    more('id: 2\n\n');
    expect((await reader?.read())?.value).toBe('id: 2\n\n');
    leaving.abort();
    await left.promise;
  });

  it('ends open streams when it drains, at once', async () => {
    const url = await origin((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('id: 1\n\n');
    });
    const answer = await fetch(`${url}/v1/stream`);
    const begun = performance.now();
    await origins[0]?.close();
    expect(await answer.text()).toBe('id: 1\n\n');
    expect(performance.now() - begun).toBeLessThan(5_000);
  });

  it('answers 503 with a problem where nobody is behind it, and leaves repeating to the caller', async () => {
    const url = await origin(echo, { 'order-commands': [gone] });
    const answer = await fetch(`${url}/v1/orders`, { method: 'POST', body: '{}' });
    expect(answer.status).toBe(503);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(await answer.json()).toMatchObject({ code: 'ROLE_UNAVAILABLE', instance: '/v1/orders' });
  });

  it('sends nothing twice, whatever the answer', async () => {
    let calls = 0;
    const url = await origin((request, response) => {
      calls += 1;
      if (request.url?.includes('cut') === true) response.destroy();
      else response.writeHead(503, { 'retry-after': '0' }).end();
    });
    expect((await fetch(`${url}/v1/orders`)).status).toBe(503);
    expect(calls).toBe(1);
    expect((await fetch(`${url}/v1/orders?cut`)).status).toBe(503);
    expect(calls).toBe(2);
  });

  it('shares requests among the processes of a role, and passes one over that takes no connection', async () => {
    const other = await upstream((_request, response) => response.end('other'));
    const one = await upstream((_request, response) => response.end('one'));
    const ask = async (url: string): Promise<string> => (await fetch(`${url}/v1/orders`)).text();
    const shared = await origin(echo, { 'order-queries': [one.url, other.url] });
    expect([await ask(shared), await ask(shared), await ask(shared)].sort()).toEqual(['one', 'one', 'other']);

    const limping = await origin(echo, { 'order-queries': [gone, one.url] });
    expect(await ask(limping)).toContain('ROLE_UNAVAILABLE');
    expect([await ask(limping), await ask(limping), await ask(limping)]).toEqual(['one', 'one', 'one']);
  });

  it('leads nobody to the doors that roles keep for each other', async () => {
    const url = await origin(echo);
    for (const path of ['/internal/orders', '/doors/orders', '/sim/faults/1', '/']) {
      expect((await fetch(`${url}${path}`, { method: 'POST', body: '{}' })).status).toBe(404);
    }
    // As fetch would not send it.
    for (const path of [
      '/v1/../internal/orders',
      '/v1/%2E%2e/internal/orders',
      '/v1/orders/%2e',
      '/v1/..%2finternal',
    ]) {
      expect(await askRaw(url, path), path).toMatchObject({ status: 404 });
    }
    expect(await askRaw(url, '/v1/stock/a%2Fb..c')).toEqual({ status: 201, path: '/v1/stock/a%2Fb..c' });
  });

  it('is ready when of each role one is, and names the one that is not', async () => {
    const ready: Handler = (request, response) => response.writeHead(request.url === '/readyz' ? 200 : 404).end();
    const well = await upstream(ready);
    const url = await origin(ready, { projector: [gone, well.url] });
    expect((await fetch(`${url}/readyz`)).status).toBe(200);
    const limping = await origin(ready, { inventory: [gone] });
    const answer = await fetch(`${limping}/readyz`);
    expect(answer.status).toBe(503);
    const { checks } = (await answer.json()) as { readonly checks: readonly { name: string; ok: boolean }[] };
    expect(checks.filter(({ ok }) => !ok)).toEqual([{ name: 'inventory', ok: false, reason: 'ROLE_UNAVAILABLE' }]);
  });

  it('serves the document of the roles', async () => {
    const url = await origin(echo);
    expect(await (await fetch(`${url}/openapi.json`)).json()).toEqual({
      openapi: '3.1.0',
      paths: { '/v1/orders': {} },
    });
  });

  it('does not start without an address for each role', () => {
    const failure = { code: 'INVALID_CONFIGURATION' };
    expect(() => wireOrigin({ upstreams: [] })).toThrow(expect.objectContaining(failure) as Error);
    expect(() => wireOrigin({ upstreams: ['orders=http://127.0.0.1:1'] })).toThrow(/order-queries is missing/);
  });
});
