import { findBadText } from '../../schemas/text.ts';
import type { HttpApp } from './app.ts';
import { RequestRefused } from './problem.ts';

declare module 'fastify' {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- a type cannot add to fastify's interface
  interface FastifyContextConfig {
    /** The route checks the text of each part of its body by itself. */
    readonly textCheckedByItem?: boolean;
  }
}

/**
 * Bodies are JSON, uncompressed, and nothing else. A key that would poison a prototype is refused while parsing; text
 * that no store can hold (NUL, half a surrogate pair) once the shape is known to be right.
 */
export function readJsonBodies(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'));
  app.addHook('onRequest', (request, _reply, done) => {
    const encoding = request.headers['content-encoding'];
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') {
      done(new RequestRefused('UNSUPPORTED_MEDIA_TYPE', 'Send the body without Content-Encoding.'));
    } else if (request.raw.httpVersionMajor === 0) {
      done(new RequestRefused('INVALID_REQUEST', 'Name the version of HTTP, 1.1 at best.'));
    } else done();
  });
  app.addHook('preHandler', (request, _reply, done) => {
    const isChecked = request.body === undefined || request.routeOptions.config.textCheckedByItem === true;
    done((isChecked ? null : badTextIn(request.body)) ?? undefined);
  });
}

/** The refusal of a body, or a part of one at `pointer`, that holds what no store can keep; null: all well. */
export function badTextIn(body: unknown, pointer = ''): RequestRefused | null {
  const place = findBadText(body, pointer);
  if (place === null) return null;
  const detail = 'holds NUL, half a surrogate pair, too long a key, or is too deep';
  return new RequestRefused('INVALID_VALUE', 'The body holds text that cannot be kept.', [{ pointer: place, detail }]);
}
