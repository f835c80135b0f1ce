import { isUtf8 } from 'node:buffer';
import { depthMax, findBadText } from '../../schemas/text.ts';
import type { HttpApp } from './app.ts';
import { findStructureFault, keysMax } from './json-structure.ts';
import type { StructureFault } from './json-structure.ts';
import { RequestRefused } from './problem.ts';

declare module 'fastify' {
  // eslint-disable-next-line @typescript-eslint/consistent-type-definitions -- a type cannot add to fastify's interface
  interface FastifyContextConfig {
    /** The route checks the text of each part of its body by itself. */
    readonly textCheckedByItem?: boolean;
  }
}

/**
 * Bodies are JSON in UTF-8, uncompressed, and nothing else. Keys that occur twice and too deep nesting are refused
 * before parsing, a key that would poison a prototype while parsing; text that no store can hold (NUL, half a
 * surrogate pair) once the shape is known to be right.
 */
export function readJsonBodies(app: HttpApp): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    const refusal = refusalOfBytes(body);
    if (refusal !== null) done(refusal);
    else return parse(request, body.toString(), done);
  });
  app.addHook('preHandler', (request, _reply, done) => {
    const isChecked = request.body === undefined || request.routeOptions.config.textCheckedByItem === true;
    done((isChecked ? null : badTextIn(request.body)) ?? undefined);
  });
}

const structureFaults: Readonly<Record<StructureFault['kind'], string>> = {
  'duplicate-key': 'occurs twice',
  'too-deep': `is nested deeper than ${depthMax}`,
  'too-many-keys': `has more than ${keysMax} fields`,
};

function refusalOfBytes(body: Buffer): RequestRefused | null {
  // Decoding would put replacement characters where the bytes are wrong, and the caller's text would be another.
  if (!isUtf8(body)) return new RequestRefused('MALFORMED_JSON', 'The body is not UTF-8.');
  const fault = findStructureFault(body);
  if (fault === null) return null;
  const { kind, pointer } = fault;
  return new RequestRefused(
    'INVALID_REQUEST',
    'A field of the body occurs twice, is too deep, or has too many fields. See errors[].',
    [{ pointer, detail: structureFaults[kind] }],
  );
}

/** The refusal of a body, or a part of one at `pointer`, that holds what no store can keep; null: all well. */
export function badTextIn(body: unknown, pointer = ''): RequestRefused | null {
  const place = findBadText(body, pointer);
  if (place === null) return null;
  const detail = 'holds NUL, half a surrogate pair, too long a key, or is too deep';
  return new RequestRefused('INVALID_VALUE', 'The body holds text that cannot be kept.', [{ pointer: place, detail }]);
}
