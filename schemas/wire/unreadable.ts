/**
 * Why a record from a topic cannot be read: the reason that stands in the headers of its dead letter. Each says something
 * about the record alone, so that reading it again cannot help; a registry that does not answer is none of them.
 */
export const unreadableCodes = {
  VALUE_MISSING: 'The record has no value.',
  VALUE_TOO_LARGE: 'The value is above 1 MiB.',
  FRAME_UNKNOWN: 'The value begins with neither C3 01 (Avro single-object encoding) nor 00 (schema registry).',
  SCHEMA_UNKNOWN: 'No schema is known by the fingerprint or id that the value names.',
  SCHEMA_INCOMPATIBLE: 'The schema that it was written with does not resolve to a released one of the same name.',
  BODY_TRUNCATED: 'The body ends too early.',
  BODY_TRAILING_BYTES: 'Bytes remain behind the body.',
  BODY_COUNT_IMPOSSIBLE:
    'A block claims more items than its bytes or any message could hold, or another size than it has.',
  BODY_TOO_DEEP: 'Values are nested too deep.',
  BODY_BRANCH_UNKNOWN: 'A union has no such branch.',
  BODY_SYMBOL_UNKNOWN: 'An enum has no such symbol.',
  BODY_NUMBER_UNSAFE: 'An integer is beyond 2^53-1, or beyond its type.',
  BODY_TEXT_INVALID: 'A text is not UTF-8.',
  BODY_KEY_FORBIDDEN: 'A map has a key that an object cannot hold, or the same key twice.',
  BODY_UNREADABLE: 'The body does not fit its schema.',
  HEADER_MISSING: 'A header is missing.',
  HEADER_INVALID: 'A header has an impossible value.',
  KEY_MISSING: 'The record has no key.',
  KEY_FOREIGN: 'The key is not the one that the record belongs to.',
} as const;

export type UnreadableCode = keyof typeof unreadableCodes;

/** `detail` names the place (a header, a schema id), never a value: it ends in headers and logs. */
export type Unreadable = { readonly kind: 'unreadable'; readonly code: UnreadableCode; readonly detail: string };

export function unreadable(code: UnreadableCode, detail: string = unreadableCodes[code]): Unreadable {
  return { kind: 'unreadable', code, detail };
}
