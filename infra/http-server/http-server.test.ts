import { Agent, request } from 'node:http';
import { pino } from 'pino';
import { Type } from 'typebox';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { OperationalFailure } from '../failures.ts';
import { openLog } from '../logging/open.ts';
import { openMetrics } from '../metrics/open.ts';
import type { Routes } from './app.ts';
import { openHttpServer } from './open.ts';
import type { HttpServer, HttpServerOptions } from './open.ts';
import type { Problem } from './problem.ts';
import { problems } from './problem-schema.ts';

const servers: HttpServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const closed = { additionalProperties: false };
const line = Type.Object({ sku: Type.String(), quantity: Type.Integer({ minimum: 1 }) }, closed);
const body = Type.Object(
  {
    lines: Type.Array(line),
    note: Type.Optional(Type.String()),
    currency: Type.Optional(Type.String({ format: 'iso-4217' })),
    at: Type.Optional(Type.String({ format: 'date-time' })),
  },
  closed,
);
const params = Type.Object({ id: Type.String({ format: 'uuid' }) });
const querystring = Type.Object({ limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200 })) }, closed);

/** Routes with one fault each; `release` lets the slow one answer. */
function routesWith(release: Promise<void>): Routes {
  return (app) => {
    app.post('/things/:id', { schema: { body, params, response: problems() } }, (request_) => ({
      count: request_.body.lines.length,
    }));
    app.get('/things', { schema: { querystring } }, (request_) => ({ limit: request_.query.limit ?? null }));
    app.get('/bug', () => {
      throw new Error('words of the bug');
    });
    app.get('/outage', () => {
      throw new OperationalFailure('STORE_UNAVAILABLE', 'words of the store', { retryable: true });
    });
    app.get('/slow', () => release.then(() => ({ answered: true })));
  };
}

async function open(options: Partial<HttpServerOptions> = {}): Promise<HttpServer> {
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
    metrics: openMetrics(),
    api: { title: 'test', version: '1', description: 'test', tags: [] },
    routes: [routesWith(Promise.resolve())],
    readiness: [],
    drainGraceMs: 0,
    ...options,
  });
  servers.push(server);
  return server;
}

const thing = '/things/7b9d8c1e-1111-4111-8111-111111111111';

describe('a body', () => {
  it.each([
    ['is cut off', '{"lines":', 400, 'MALFORMED_JSON', []],
    ['is empty', '', 400, 'MALFORMED_JSON', []],
    ['is no object', '[]', 400, 'INVALID_REQUEST', ['']],
    ['poisons a prototype', '{"lines":[],"__proto__":{"a":1}}', 400, 'MALFORMED_JSON', []],
    ['poisons a constructor', '{"lines":[],"constructor":{"prototype":{}}}', 400, 'MALFORMED_JSON', []],
    ['has an unknown field', '{"lines":[],"price":1}', 400, 'INVALID_REQUEST', ['/price']],
    [
      'has an unknown field deep inside',
      '{"lines":[{"sku":"a","quantity":1,"a/b":1}]}',
      400,
      'INVALID_REQUEST',
      ['/lines/0/a~1b'],
    ],
    ['misses a field', '{}', 400, 'INVALID_REQUEST', ['/lines']],
    ['has a wrong type', '{"lines":"all"}', 422, 'INVALID_VALUE', ['/lines']],
    ['has a number as text', '{"lines":[{"sku":"a","quantity":"1"}]}', 422, 'INVALID_VALUE', ['/lines/0/quantity']],
    [
      'has two impossible values',
      '{"lines":[{"sku":1,"quantity":0}]}',
      422,
      'INVALID_VALUE',
      ['/lines/0/sku', '/lines/0/quantity'],
    ],
    ['has an infinite number', '{"lines":[{"sku":"a","quantity":1e309}]}', 422, 'INVALID_VALUE', ['/lines/0/quantity']],
    ['has no currency of this world', '{"lines":[],"currency":"XXX"}', 422, 'INVALID_VALUE', ['/currency']],
    ['names a day that never was', '{"lines":[],"at":"2026-02-30T00:00:00Z"}', 422, 'INVALID_VALUE', ['/at']],
    ['names a leap second', '{"lines":[],"at":"2016-12-31T23:59:60Z"}', 422, 'INVALID_VALUE', ['/at']],
    ['holds NUL', '{"lines":[],"note":"a\\u0000"}', 422, 'INVALID_VALUE', ['/note']],
    [
      'holds half a surrogate pair',
      '{"lines":[{"sku":"\\ud800","quantity":1}]}',
      422,
      'INVALID_VALUE',
      ['/lines/0/sku'],
    ],
    ['is over 1 MiB', `{"lines":[],"note":"${'x'.repeat(1024 * 1024)}"}`, 413, 'PAYLOAD_TOO_LARGE', []],
    ['has a field twice', '{"lines":[],"note":"a","n\\u006fte":"b"}', 400, 'INVALID_REQUEST', ['/note']],
    ['is not UTF-8', Buffer.from('{"lines":[],"note":"\xff"}', 'latin1'), 400, 'MALFORMED_JSON', []],
    [
      'nests 10,000 deep',
      `${'{"lines":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
      400,
      'INVALID_REQUEST',
      ['/lines'.repeat(32)],
    ],
    [
      'has 100,000 fields',
      `{${Array.from({ length: 100_000 }, (_, i) => `"${i}":1`).join()}}`,
      400,
      'INVALID_REQUEST',
      [''],
    ],
    [
      'has 900 unknown fields',
      `{${Array.from({ length: 900 }, (_, i) => `"${i}":1`).join()}}`,
      400,
      'INVALID_REQUEST',
      null,
    ],
  ] as const)('that %s is refused with its code and pointers', async (...row) => {
    const [, payload, status, code, pointers] = row;
    const { app } = await open();
    const answer = await app.inject({
      method: 'POST',
      url: thing,
      payload,
      headers: { 'content-type': 'application/json' },
    });
    const problem = answer.json<Problem>();
    expect([answer.statusCode, problem.code]).toEqual([status, code]);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    if (pointers !== null) expect((problem.errors ?? []).map(({ pointer }) => pointer)).toEqual(pointers);
    expect((problem.errors ?? []).length).toBeLessThanOrEqual(20);
  });

  it.each([
    [{ 'content-type': 'text/plain' }, 415],
    [{ 'content-type': 'application/xml' }, 415],
    [{ 'content-type': 'application/json', 'content-encoding': 'gzip' }, 415],
    [{ 'content-type': 'application/json', 'content-encoding': 'identity' }, 200],
    [{ 'content-type': 'application/json; charset=utf-8' }, 200],
  ])('sent with %j gets %i', async (headers, status) => {
    const { app } = await open();
    const answer = await app.inject({ method: 'POST', url: thing, payload: '{"lines":[]}', headers });
    expect(answer.statusCode).toBe(status);
  });
});

describe('an address', () => {
  it.each([
    ['GET', '/nothing', 404, 'NOT_FOUND'],
    ['GET', '/%zz', 400, 'INVALID_REQUEST'],
    ['POST', '/things/not-a-uuid', 400, 'INVALID_REQUEST'],
    ['GET', '/things?limit=1000000000', 400, 'INVALID_REQUEST'],
    ['GET', '/things?limit=1e2', 400, 'INVALID_REQUEST'],
    ['GET', '/things?limit=1&limit=2', 400, 'INVALID_REQUEST'],
    ['GET', '/things?colour=red', 400, 'INVALID_REQUEST'],
  ] as const)('%s %s gets %i %s', async (...row) => {
    const [method, url, status, code] = row;
    const { app } = await open();
    const answer = await app.inject({ method, url, ...(method === 'POST' ? { payload: { lines: [] } } : {}) });
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([status, code]);
  });

  it('with another method gets 405 and the methods that it takes', async () => {
    const { app } = await open();
    const answer = await app.inject({ method: 'DELETE', url: thing });
    expect([answer.statusCode, answer.headers.allow]).toEqual([405, 'POST']);
  });

  it('takes a whole number in the query as a number', async () => {
    const { app } = await open();
    expect((await app.inject('/things?limit=20')).json()).toEqual({ limit: 20 });
  });
});

describe('a failure', () => {
  it('that is a bug answers 500 with the trace id of the caller and not a word of the bug', async () => {
    const { app } = await open();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const answer = await app.inject({ url: '/bug', headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } });
    expect(answer.json()).toMatchObject({ status: 500, code: 'INTERNAL', traceId, type: '/docs/errors/INTERNAL' });
    expect(answer.body).not.toContain('words');
  });

  it('of the world answers with its row of the table and when to retry', async () => {
    const { app } = await open();
    const answer = await app.inject('/outage');
    expect([answer.statusCode, answer.json<Problem>().code]).toEqual([503, 'STORE_UNAVAILABLE']);
    expect(answer.headers['retry-after']).toBe('1');
    expect(answer.body).not.toContain('words');
  });

  it('is logged with its trace id, without the message of a foreign error', async () => {
    const lines: string[] = [];
    const log = openLog({ role: 'test', level: 'info', destination: { write: (text) => void lines.push(text) } });
    const { app } = await open({ log });
    const { traceId } = (await app.inject('/bug?email=canary@example.org')).json<Problem>();
    expect(lines.map((text) => JSON.parse(text) as unknown)).toMatchObject([
      { level: 'error', traceId, route: '/bug' },
    ]);
    expect(lines.join()).not.toMatch(/words|canary/);
  });
});

describe('readiness', () => {
  it('names the check that says no, and takes a check that hangs as a no', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const hang = new Promise<void>(() => undefined);
    const fail = (): Promise<void> => Promise.reject(new Error('down'));
    const { app } = await open({
      readiness: [
        { name: 'store', check: () => undefined },
        { name: 'views', check: fail },
        { name: 'feed', check: () => hang },
      ],
    });
    const probe = app.inject('/readyz');
    await vi.advanceTimersByTimeAsync(2_100);
    vi.useRealTimers();
    const answer = await probe;
    const checks = [
      { name: 'store', ok: true },
      { name: 'views', ok: false, reason: 'INTERNAL' },
      { name: 'feed', ok: false, reason: 'TIMEOUT' },
    ];
    expect([answer.statusCode, answer.json()]).toEqual([503, { status: 'not-ready', checks }]);
  });
});

describe('draining', () => {
  it('answers what is in flight and on open connections, asks callers to leave, and is not ready', async () => {
    const gate = Promise.withResolvers<undefined>();
    const server = await open({ routes: [routesWith(gate.promise)], drainGraceMs: 500 });
    const url = await server.listen();
    const agent = new Agent({ keepAlive: true });
    await get(url, '/livez', agent);
    const inFlight = get(url, '/slow');
    const closing = server.close();
    const onOpenConnection = await get(url, '/readyz', agent);
    gate.resolve(undefined);
    expect(onOpenConnection).toMatchObject({
      status: 503,
      connection: 'close',
      body: '{"status":"draining","checks":[]}',
    });
    expect(await inFlight).toMatchObject({ status: 200, connection: 'close' });
    await closing;
    await expect(get(url, '/livez')).rejects.toThrow('ECONNREFUSED');
    agent.destroy();
  });

  it('gives no error to callers that leave when they are asked to', async () => {
    const server = await open({ drainGraceMs: 300 });
    const url = await server.listen();
    const caller = async (): Promise<number> => {
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      for (let answered = 1; ; answered += 1) {
        const { status, connection } = await get(url, '/livez', agent);
        expect(status).toBe(200);
        if (connection === 'close') return answered;
      }
    };
    const callers = Array.from({ length: 20 }, caller);
    await vi.waitFor(
      async () =>
        expect((await server.app.inject('/metrics')).body).toMatch(/http_requests_total\{status="200"\} \d{3}/),
      { timeout: 10_000 },
    );
    await server.close();
    for (const answered of await Promise.all(callers)) expect(answered).toBeGreaterThan(0);
  });

  it('cuts what does not end in time', async () => {
    const server = await open({ routes: [routesWith(new Promise(() => undefined))], drainTimeoutMs: 100 });
    const inFlight = get(await server.listen(), '/slow').catch((error: unknown) => error);
    await vi.waitFor(
      () =>
        new Promise<void>((resolve, reject) =>
          server.app.server.getConnections((_, n) => (n === 1 ? resolve() : reject(new Error('none')))),
        ),
    );
    await server.close();
    expect(await inFlight).toBeInstanceOf(Error);
  });
});

type Got = { readonly status: number; readonly connection: string | undefined; readonly body: string };

function get(url: string, path: string, agent?: Agent): Promise<Got> {
  return new Promise((resolve, reject) => {
    const call = request(`${url}${path}`, agent === undefined ? {} : { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body: text }),
      );
    });
    call.on('error', reject).end();
  });
}
