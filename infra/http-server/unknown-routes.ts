import type { HttpApp } from './app.ts';
import { sendProblem } from './problem.ts';

type Known = { readonly pattern: RegExp; readonly methods: Set<string> };

/**
 * Answers what no route takes: 405 with `Allow` where the path has another method, else 404. Call it before the first
 * route; it only remembers which paths there are.
 */
export function answerUnknownRoutes(app: HttpApp): void {
  const known = new Map<string, Known>();
  app.addHook('onRoute', ({ url, method }) => {
    const path = known.get(url) ?? { pattern: patternOf(url), methods: new Set<string>() };
    for (const name of [method].flat()) path.methods.add(name);
    known.set(url, path);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?', 1)[0] ?? '';
    const methods = new Set(
      [...known.values()].flatMap(({ pattern, methods: names }) => (pattern.test(path) ? [...names] : [])),
    );
    if (methods.size === 0) return sendProblem(reply, 'NOT_FOUND');
    return sendProblem(reply.header('allow', [...methods].sort().join(', ')), 'METHOD_NOT_ALLOWED');
  });
}

function patternOf(url: string): RegExp {
  const parts = url.split('/').map((part) => (part.startsWith(':') ? '[^/]+' : part.replaceAll(/[^\w-]/g, '\\$&')));
  return new RegExp(`^${parts.join('/')}$`);
}
