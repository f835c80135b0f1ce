import type { HttpApp, HttpReply, HttpRequest } from './app.ts';
import { sendProblem } from './problem.ts';

type Known = { readonly pattern: RegExp; readonly methods: Set<string> };

/**
 * Answers what no route takes: 405 with `Allow` where the path has another method, else 404, before the body is read:
 * that it is no JSON either is of no interest. Call it before the first route; it remembers which paths there are.
 */
export function answerUnknownRoutes(app: HttpApp): void {
  const known = new Map<string, Known>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = known.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const name of [method].flat()) path.methods.add(name);
    known.set(url, path);
  });
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404 || isTakenForParameter(request)) answer(request, reply);
    else done();
  });
  app.setNotFoundHandler(answer);

  /** GET /v1/orders/batch is no order with the id `batch`: the path is known, and has other methods. */
  function isTakenForParameter({ url, routeOptions }: HttpRequest): boolean {
    if (routeOptions.url?.includes(':') !== true) return false;
    const path = pathOf(url);
    return known.has(path) && !path.includes(':');
  }

  function answer(request: HttpRequest, reply: HttpReply): HttpReply {
    const path = pathOf(request.url);
    const exact = known.get(path);
    const matching = exact === undefined ? [...known.values()].filter(({ pattern }) => pattern.test(path)) : [exact];
    const methods = new Set(matching.flatMap((one) => [...one.methods]));
    if (methods.size === 0) return sendProblem(reply, 'NOT_FOUND');
    return sendProblem(reply.header('allow', [...methods].sort().join(', ')), 'METHOD_NOT_ALLOWED');
  }
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
