import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { OperationalFailure } from '../failures.ts';
import { openMetrics } from '../metrics/open.ts';
import { openHttpServer, type HttpServer, type HttpServerOptions } from './open.ts';
import { openReadiness } from './readiness.ts';

async function answerOf(options: Partial<HttpServerOptions>, url: string, accept?: string) {
  const server = await openHttpServer({
    host: '127.0.0.1',
    port: 0,
    log: pino({ level: 'silent' }),
    metrics: openMetrics(),
    api: { title: 'test', version: '1', description: 'test', tags: [] },
    routes: [],
    readiness: [],
    drainGraceMs: 0,
    ...options,
  });
  servers.push(server);
  const answer = await server.app.inject({ url, headers: accept === undefined ? {} : { accept } });
  return { status: answer.statusCode, body: answer.body, headers: answer.headers };
}
const servers: HttpServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

const secret = 'postgres://admin:hunter2@db.internal/shop';

describe('/readyz', () => {
  it('is ready when every check passes, and lists them, with ?verbose as without', async () => {
    const readiness = [{ name: 'event-store', check: () => Promise.resolve() }];
    for (const url of ['/readyz', '/readyz?verbose']) {
      const { status, body } = await answerOf({ readiness }, url);
      expect(status).toBe(200);
      expect(JSON.parse(body)).toEqual({ status: 'ready', checks: [{ name: 'event-store', ok: true }] });
    }
  });

  it('says which check failed and why by a code, and nothing of what its message holds', async () => {
    const outage = new OperationalFailure('STORE_UNAVAILABLE', secret, { retryable: true });
    const readiness = [
      { name: 'event-store', check: () => Promise.reject(outage) },
      { name: 'views', check: () => Promise.resolve() },
      {
        name: 'bug',
        check: () => {
          throw new Error(secret);
        },
      },
    ];
    const { status, body } = await answerOf({ readiness }, '/readyz');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      status: 'not-ready',
      checks: [
        { name: 'event-store', ok: false, reason: 'STORE_UNAVAILABLE' },
        { name: 'views', ok: true },
        { name: 'bug', ok: false, reason: 'INTERNAL' },
      ],
    });
    expect(body).not.toMatch(/hunter2|db\.internal/);
  });
});

describe('/livez', () => {
  it('lives whatever the stores do', async () => {
    const readiness = [{ name: 'event-store', check: () => Promise.reject(new Error('down')) }];
    expect(await answerOf({ readiness }, '/livez')).toMatchObject({ status: 200, body: '{"status":"alive"}' });
  });

  it('names what is wedged', async () => {
    const liveness = [
      { name: 'consumers', wedged: () => 'order-summary: 61 s' },
      { name: 'timers', wedged: () => null },
    ];
    const { status, body } = await answerOf({ liveness }, '/livez');
    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      status: 'wedged',
      wedged: [{ name: 'consumers', detail: 'order-summary: 61 s' }],
    });
  });
});

describe('/metrics', () => {
  it.each([
    [undefined, 'application/openmetrics-text; version=1.0.0; charset=utf-8', /\n# EOF\n$/],
    ['text/plain', 'text/plain; version=0.0.4; charset=utf-8', /# TYPE http_requests_total counter/],
  ])('answers Accept: %s with %s', async (accept, contentType, pattern) => {
    const { status, body, headers } = await answerOf({}, '/metrics', accept);
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'content-type': contentType, vary: 'accept' });
    expect(body).toMatch(pattern);
  });
});

describe('a readiness check that hangs', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('fails each probe in time, is asked once, and passes again once it is answered', async () => {
    let asked = 0;
    let answer: () => void = () => undefined;
    const check = (): Promise<void> => {
      asked += 1;
      return new Promise((resolve) => (answer = resolve));
    };
    const ask = openReadiness([{ name: 'event-store', check }]);
    for (let probe = 0; probe < 20; probe += 1) {
      const probed = ask();
      await vi.advanceTimersByTimeAsync(1_500);
      expect(await probed).toEqual([{ name: 'event-store', ok: false, reason: 'TIMEOUT' }]);
    }
    expect(asked).toBe(1);
    answer();
    await vi.advanceTimersByTimeAsync(0);
    const probed = ask();
    answer();
    expect(await probed).toEqual([{ name: 'event-store', ok: true }]);
    expect(asked).toBe(2);
  });
});
