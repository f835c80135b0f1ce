import type { RouteOptions } from 'fastify';
import type { HttpApp } from './app.ts';

/** Fifteen digits are a safe integer for sure. */
const integer = /^-?\d{1,15}$/;
/** The `maximum` of an integer in a query that has no other. */
export const queryIntegerMax = 999_999_999_999_999;

type QuerySchema = { readonly properties?: Readonly<Record<string, { readonly type?: unknown }>> };

/**
 * A query is text, a schema says integer, and ajv must not guess (coerceTypes stays off for bodies): where a route's
 * query declares an integer, plain digits become one before validation; anything else stays text and is refused.
 */
export function readQueryNumbers(app: HttpApp): void {
  app.addHook('onRoute', (route) => {
    const properties = (route.schema?.querystring as QuerySchema | undefined)?.properties ?? {};
    const names = Object.keys(properties).filter((name) => properties[name]?.type === 'integer');
    if (names.length > 0) addPreValidation(route, names);
  });
}

function addPreValidation(route: RouteOptions, names: readonly string[]): void {
  const given = [route.preValidation ?? []].flat();
  route.preValidation = [
    (request, _reply, done) => {
      const query = request.query as Record<string, unknown>;
      for (const name of names) {
        const text = query[name];
        if (typeof text === 'string' && integer.test(text)) query[name] = Number(text);
      }
      done();
    },
    ...given,
  ];
}
