import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { gzipSync } from 'node:zlib';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { openLog } from '../logging/open.ts';
import { openMetrics } from '../metrics/open.ts';
import { openHttpServer } from './open.ts';
import type { HttpServer } from './open.ts';
import { exchange } from './test-raw-socket.ts';

// The rows of bad input that need a socket: bytes that no HTTP client would send, to a server that really listens.
// Each is answered within a second with a problem, reaches no route, logs nothing, and the next caller is served.

const requestTimeoutMs = 200;
let server: HttpServer;
let url: string;
/** What reached the one route that would store something. */
const received: unknown[] = [];
const logged: string[] = [];

beforeAll(async () => {
  server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: openLog({ role: 'test', level: 'info', destination: { write: (line) => void logged.push(line) } }),
    metrics: openMetrics(),
    api: { title: 'test', version: '1', description: 'test', tags: [] },
    routes: [
      (app) => {
        const body = Type.Object({ a: Type.Optional(Type.Integer()) });
        app.post('/things', { schema: { body } }, (request, reply) => {
          received.push({ body: request.body, key: request.headers['idempotency-key'] });
          return reply.code(201).send({});
        });
        app.get('/things/:id', () => ({}));
      },
    ],
    readiness: [],
    drainGraceMs: 0,
    requestTimeoutMs,
  });
  url = await server.listen();
});
afterAll(() => server.close());

const head = 'POST /things HTTP/1.1\r\nhost: x\r\nidempotency-key: k\r\ncontent-type: application/json\r\n';
const chunked = `${head}transfer-encoding: chunked\r\n\r\n`;
const probe = 'GET /livez HTTP/1.1\r\nhost: x\r\n\r\n';

type Row = readonly [title: string, bytes: string, status: number, code: string];

/** Refused, and the connection closed: nobody knows where the next request would begin. */
const closing: readonly Row[] = [
  [
    'CL+TE both',
    `${head}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    'INVALID_REQUEST',
  ],
  ['two CL', `${head}content-length: 2\r\ncontent-length: 3\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['two equal CL', `${head}content-length: 2\r\ncontent-length: 2\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['a list of CL', `${head}content-length: 2, 2\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['a negative CL', `${head}content-length: -1\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['a CL with a plus', `${head}content-length: +2\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['a CL of 23 digits', `${head}content-length: 99999999999999999999999\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['a CL over the limit', `${head}content-length: 9007199254740993\r\n\r\n{}`, 413, 'PAYLOAD_TOO_LARGE'],
  [
    'two TE',
    `${head}transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    'INVALID_REQUEST',
  ],
  [
    'a TE of another name',
    `${head}transfer-encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  [
    'a TE with a space before its colon',
    `${head}transfer-encoding : chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    400,
    'INVALID_REQUEST',
  ],
  ['obs-fold', `${head}x-a: b\r\n c: d\r\ncontent-length: 2\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['17 KB headers', `${head}x-a: ${'a'.repeat(17 * 1024)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  ['2,500 headers', `${head}${'a: b\r\n'.repeat(2_500)}\r\n`, 431, 'HEADERS_TOO_LARGE'],
  [
    'a URL of 10^5 characters',
    `GET /things/${'a'.repeat(100_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    431,
    'HEADERS_TOO_LARGE',
  ],
  ['HTTP/0.9', 'GET /livez\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['HTTP/2 without an agreement', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['TLS on a plain port', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03', 400, 'INVALID_REQUEST'],
  ['bare CR in a header', `${head}idempotency-key: a\rb\r\ncontent-length: 2\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['bare LF as line ends', 'GET /livez HTTP/1.1\nhost: x\n\n', 400, 'INVALID_REQUEST'],
  ['a header without a colon', 'GET /livez HTTP/1.1\r\nhost: x\r\nabc\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['a header without a name', 'GET /livez HTTP/1.1\r\nhost: x\r\n: b\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['NUL in the request line', 'GET /livez\0 HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['NUL in a header', `${head}idempotency-key: a\0b\r\ncontent-length: 2\r\n\r\n{}`, 400, 'INVALID_REQUEST'],
  ['an unknown method', 'BREW /livez HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['CONNECT', 'CONNECT elsewhere:443 HTTP/1.1\r\nhost: elsewhere\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  ['a chunk size over 2^64', `${chunked}fffffffffffffffff\r\n{}\r\n0\r\n\r\n`, 400, 'INVALID_REQUEST'],
  ['a negative chunk size', `${chunked}-2\r\n{}\r\n0\r\n\r\n`, 400, 'INVALID_REQUEST'],
  ['a chunk longer than it says', `${chunked}2\r\n{}xx0\r\n\r\n`, 400, 'INVALID_REQUEST'],
  ['a chunk extension of 20 KB', `${chunked}2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`, 400, 'INVALID_REQUEST'],
  [
    'chunks over the limit without a length',
    `${chunked}${`10000\r\n${'x'.repeat(65_536)}\r\n`.repeat(17)}`,
    413,
    'PAYLOAD_TOO_LARGE',
  ],
  ['a length among the trailers', `${chunked}2\r\n{}\r\n0\r\ncontent-length: 5\r\n\r\n`, 400, 'INVALID_REQUEST'],
  ['17 KB of trailers', `${chunked}2\r\n{}\r\n0\r\nx: ${'a'.repeat(17 * 1024)}\r\n\r\n`, 431, 'HEADERS_TOO_LARGE'],
  [
    'gzip as a TE',
    `${head}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
  ['a gzip bomb', `${head}content-encoding: gzip\r\ncontent-length: 0\r\n\r\n`, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'gzip as a TE',
    `${head}transfer-encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    415,
    'UNSUPPORTED_MEDIA_TYPE',
  ],
];

/** Refused as a request: the framing is clear, so the connection may go on. */
const going: readonly Row[] = [
  ['no Host', 'GET /livez HTTP/1.1\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['two Hosts', 'GET /livez HTTP/1.1\r\nhost: a\r\nhost: b\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['a gzip bomb', `${head}content-encoding: gzip\r\ncontent-length: 0\r\n\r\n`, 415, 'UNSUPPORTED_MEDIA_TYPE'],
  [
    'a part of the path of 10^4 characters',
    `GET /things/${'a'.repeat(10_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    400,
    'INVALID_REQUEST',
  ],
  ['bytes in the path that are no ASCII', 'GET /things/\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n', 400, 'INVALID_REQUEST'],
  ['an asterisk as the path', 'OPTIONS * HTTP/1.1\r\nhost: x\r\n\r\n', 404, 'NOT_FOUND'],
  ['another method', 'TRACE /livez HTTP/1.1\r\nhost: x\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
  [
    'another method with broken JSON',
    `${head.replace('POST', 'PUT')}content-length: 1\r\n\r\n{`,
    405,
    'METHOD_NOT_ALLOWED',
  ],
  [
    'QUERY without a content type',
    'QUERY /things HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n',
    405,
    'METHOD_NOT_ALLOWED',
  ],
];

async function expectRefusal(answer: Promise<string>, [status, code]: readonly [number, string]): Promise<void> {
  const startedMs = performance.now();
  const told = await answer;
  expect(performance.now() - startedMs).toBeLessThan(1_000);
  expect(told).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*"code":"${code}"`));
  expect(told).toContain('application/problem+json');
  expect(told).not.toMatch(/\bat .*\.(ts|js):\d/);
  expect([received, logged]).toEqual([[], []]);
  expect(await exchange(url, probe, (given) => given.includes('alive'))).toMatch(/^HTTP\/1.1 200 /);
}

describe('HTTP row: CL+TE both, two CL, obs-fold, 17 KB headers, HTTP/0.9', () => {
  it.each(closing)('%s is refused and the connection is closed', (...row) => {
    const [, bytes, status, code] = row;
    // Resolves once the server ended the connection: a request that follows on it is never read.
    return expectRefusal(exchange(url, Buffer.from(`${bytes}${probe}`, 'latin1')), [status, code]);
  });

  it.each(going)('%s is refused', (...row) => {
    const [, bytes, status, code] = row;
    const answer = exchange(url, Buffer.from(bytes, 'latin1'), (told) => told.endsWith('}'));
    return expectRefusal(answer, [status, code]);
  });

  it('10,000 empty lines are nothing', async () => {
    expect(await exchange(url, `${'\r\n'.repeat(10_000)}${probe}`, (told) => told.includes('alive'))).toContain(
      '200 OK',
    );
  });

  it('an absolute URI is its path, whatever host it names', async () => {
    const bytes = 'GET http://elsewhere/livez HTTP/1.1\r\nhost: x\r\n\r\n';
    expect(await exchange(url, bytes, (told) => told.includes('alive'))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('an expectation that nobody knows is passed over', async () => {
    const bytes = 'GET /livez HTTP/1.1\r\nhost: x\r\nexpect: wonders\r\n\r\n';
    expect(await exchange(url, bytes, (told) => told.includes('alive'))).toMatch(/^HTTP\/1.1 200 /);
  });

  it('trailers never become headers', async () => {
    const bytes = `${chunked}2\r\n{}\r\n0\r\nidempotency-key: other\r\n\r\n`;
    expect(await exchange(url, bytes, (told) => told.endsWith('{}'))).toMatch(/^HTTP\/1.1 201 /);
    expect(received.splice(0)).toEqual([{ body: {}, key: 'k' }]);
  });
});

describe('HTTP row: pipelined 1000', () => {
  it('is answered 1,000 times', async () => {
    const answer = await exchange(url, probe.repeat(1_000), (told) => told.split('"alive"').length === 1_001);
    expect(answer.split('HTTP/1.1 200 ')).toHaveLength(1_001);
  });

  it('with a broken one among them is answered up to that one', async () => {
    const answer = await exchange(url, `${probe.repeat(5)}GET /livez\0 HTTP/1.1\r\n\r\n${probe.repeat(5)}`);
    expect(answer.split('HTTP/1.1 200 ').length).toBeLessThanOrEqual(6);
    expect(answer).not.toMatch(/400[^]*HTTP\/1.1 200 /);
    expect(received).toEqual([]);
  });
});

describe('HTTP row: gzip bomb', () => {
  it('of 100 MB is refused unread', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024));
    const start = Buffer.from(`${head}content-encoding: gzip\r\ncontent-length: ${bomb.length}\r\n\r\n`);
    const before = process.memoryUsage().rss;
    const answer = exchange(url, Buffer.concat([start, bomb]), (told) => told.endsWith('}'));
    await expectRefusal(answer, [415, 'UNSUPPORTED_MEDIA_TYPE']);
    expect(process.memoryUsage().rss - before).toBeLessThan(50 * 1024 * 1024);
  });
});

describe('HTTP row: a request that never ends', () => {
  it.each([
    ['its headers', 'POST /things HTTP/1.1\r\nhost: x\r\n'],
    ['its body', `${head}content-length: 10\r\n\r\n{`],
    ['a chunk of 2^63', `${chunked}7fffffffffffffff\r\n{`],
    ['its first line', 'GET /livez\r\n'],
    ['the empty lines before it', '\r\n'.repeat(1_000)],
  ])('in %s is answered 408 and the connection is closed', async (_title, bytes) => {
    expect(await exchange(url, bytes)).toMatch(/^HTTP\/1.1 408 [^]*REQUEST_TIMEOUT/);
    expect(received).toEqual([]);
  });

  it('byte by byte is given no more time than one that is silent', async () => {
    const socket = opened(`${head}content-length: 1000000\r\n\r\n{`);
    const drip = setInterval(() => socket.write(' '), 20);
    const answer = await text(socket);
    clearInterval(drip);
    expect(answer).toMatch(/^HTTP\/1.1 408 /);
  });

  it('because the caller left is no failure of ours: no word in the log, no 500 in the metrics', async () => {
    const arrived = once(server.app.server, 'request');
    const socket = opened(`${head}content-length: 10\r\n\r\n{`);
    await arrived;
    socket.destroy();
    await vi.waitFor(async () => expect(await connections()).toBe(0));
    expect(logged).toEqual([]);
    expect((await server.app.inject('/metrics')).body).not.toContain('status="500"');
    expect(received).toEqual([]);
  });
});

function opened(bytes: string): Socket {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname, () => socket.write(bytes));
  // The server may cut it while we write.
  return socket.on('error', () => undefined);
}

function connections(): Promise<number> {
  return new Promise((resolve) => server.app.server.getConnections((_error, count) => resolve(count)));
}
