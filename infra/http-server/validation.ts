import type { FastifySchemaValidationError } from 'fastify';
import { keyLengthMax } from '../../schemas/text.ts';
import type { ErrorCode } from '../../schemas/error-codes.ts';
import type { FieldFault } from './problem.ts';

type Refusal = { readonly code: ErrorCode; readonly errors: readonly FieldFault[] };

/** A body may be wrong in a million places; the first ones are told. */
const faultsMax = 20;

/** Answers about the shape as a whole: 400. All other keywords speak about the value of a known field: 422. */
const shapeKeywords = new Set(['required', 'additionalProperties', 'minProperties', 'discriminator']);

/** Alternatives report their own branches beside them. */
const silentKeywords = new Set(['anyOf', 'oneOf', 'if', 'propertyNames']);

/**
 * Sorts a schema's complaints as notes/bad-input.md does: an unknown or missing field, or anything outside the body, is
 * 400 INVALID_REQUEST; an impossible value of a known field is 422 INVALID_VALUE. Where both occur, 400 with all.
 */
export function refusalOf(faults: readonly FastifySchemaValidationError[], context: string): Refusal {
  const told = faults.filter((fault) => !silentKeywords.has(fault.keyword));
  const shown = told.length === 0 ? faults : told;
  const place = placeOf(context);
  const inBody = place === undefined;
  const malformed = !inBody || faults.some((fault) => shapeKeywords.has(fault.keyword) || isWholeBody(fault));
  return {
    code: malformed ? 'INVALID_REQUEST' : 'INVALID_VALUE',
    errors: shown.slice(0, faultsMax).map((fault) => ({
      pointer: pointerOf(fault),
      detail: detailOf(fault),
      ...(inBody ? {} : { in: place }),
    })),
  };
}

export function escapePointer(member: string): string {
  return member.replaceAll('~', '~0').replaceAll('/', '~1');
}

function isWholeBody(fault: FastifySchemaValidationError): boolean {
  return fault.instancePath === '' && fault.keyword === 'type';
}

function placeOf(context: string): FieldFault['in'] {
  switch (context) {
    case 'params':
      return 'path';
    case 'querystring':
      return 'query';
    case 'headers':
      return 'header';
    default:
      return undefined;
  }
}

function pointerOf(fault: FastifySchemaValidationError): string {
  const { missingProperty, additionalProperty } = fault.params;
  const member = missingProperty ?? additionalProperty;
  // Who sends a key of a megabyte does not get it back: the pointer ends at what holds it.
  if (typeof member !== 'string' || member.length > keyLengthMax) return fault.instancePath;
  return `${fault.instancePath}/${escapePointer(member)}`;
}

/** Ajv's messages name limits, patterns and formats, never the value. */
function detailOf(fault: FastifySchemaValidationError): string {
  if (fault.keyword === 'required') return 'is missing';
  if (fault.keyword === 'additionalProperties') return 'is not a known field';
  if (fault.keyword === 'enum') return `must be one of ${JSON.stringify(fault.params['allowedValues'])}`;
  return fault.message ?? 'is not valid';
}
