import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { errorCodes } from '../../schemas/error-codes.ts';
import { openMetrics } from '../metrics/open.ts';
import { codes, errorEntry, errorList, errorPage, escapeHtml } from './error-pages.ts';
import { openHttpServer, type HttpServer } from './open.ts';
import { toProblem, type Problem } from './problem.ts';

const servers: HttpServer[] = [];
afterEach(() => Promise.all(servers.splice(0).map((server) => server.close())));

async function open(): Promise<HttpServer> {
  const server = await openHttpServer({
    ...{ host: '127.0.0.1', port: 0, log: pino({ level: 'silent' }), metrics: openMetrics(), drainGraceMs: 0 },
    ...{ api: { title: 'test', version: '1', description: 'test', tags: [] }, routes: [], readiness: [] },
  });
  servers.push(server);
  return server;
}

describe('the catalogue of errors', () => {
  it('has a page where the type of each problem leads', async () => {
    const { app } = await open();
    for (const code of codes) {
      const { type, title, status, detail } = toProblem(code);
      const answer = await app.inject(type);
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      for (const said of [code, escapeHtml(title), String(status), escapeHtml(detail)])
        expect(answer.body).toContain(said);
      expect(answer.body.includes('for ever')).toBe(errorEntry(code).durable);
      const json = await app.inject({ url: type, headers: { accept: 'application/json' } });
      expect(json.json()).toMatchObject({ code, title, status, help: detail, example: { type, code } });
    }
    expect(codes).toEqual(Object.keys(errorCodes));
  });

  it('lists them all, each with its page', async () => {
    const { app } = await open();
    const { body } = await app.inject('/docs/errors');
    for (const code of codes) expect(body).toContain(`href="/docs/errors/${code}"`);
    const json = await app.inject({ url: '/docs/errors', headers: { accept: 'application/json' } });
    expect(json.json<{ items: { code: string }[] }>().items.map(({ code }) => code)).toEqual(codes);
  });

  it.each(['NO_SUCH_CODE', 'toString', '__proto__', '%3Cscript%3E', 'not_found'])(
    'has no page for %s',
    async (code) => {
      const answer = await (await open()).app.inject(`/docs/errors/${code}`);
      expect([answer.statusCode, answer.json<Problem>().code]).toEqual([404, 'NOT_FOUND']);
      expect(answer.body).not.toContain('<script>');
    },
  );

  it('shows the markup of a text, and runs none of it', () => {
    const row = { ...errorEntry('INVALID_IF_MATCH'), title: '<b>&"\'' };
    expect(errorPage(row)).toContain('<h1>&lt;b&gt;&amp;&quot;&#39;</h1>');
    // The help of this one speaks of a "<version>".
    expect(errorPage(row)).toContain('&lt;version&gt;');
    expect([errorList(), errorPage(row)].join()).not.toMatch(/<version>|<script/);
  });
});

describe('/docs', () => {
  it('shows the API from files of its own, under a policy that lets nothing else in', async () => {
    const { app } = await open();
    for (const url of ['/docs', '/docs/']) {
      const answer = await app.inject(url);
      expect([answer.statusCode, answer.headers['content-type']]).toEqual([200, 'text/html; charset=utf-8']);
      expect(answer.headers['content-security-policy']).toMatch(/^default-src 'self';/);
      const found = [...answer.body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path ?? '');
      expect(found.length).toBeGreaterThan(4);
      for (const path of found) {
        const { pathname, host } = new URL(path, 'http://here/docs/');
        expect([host, (await app.inject(pathname)).statusCode]).toEqual(['here', 200]);
      }
    }
    expect((await app.inject('/docs/json')).json()).toEqual((await app.inject('/openapi.json')).json());
  });

  it('answers a problem for what it has not, and takes no place in the API’s document', async () => {
    const server = await open();
    const missing = await server.app.inject('/docs/static/none.js');
    expect([missing.statusCode, missing.json<Problem>().code]).toEqual([404, 'NOT_FOUND']);
    const { paths } = server.openApi() as { paths: object };
    const documented = Object.keys(paths).filter((path) => path.startsWith('/docs'));
    expect(documented).toEqual(['/docs/errors', '/docs/errors/{code}']);
  });
});
