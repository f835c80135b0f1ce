import { isUtf8 } from 'node:buffer';
import type avro from 'avsc';
import { readInteger, type Cursor } from './cursor.ts';

export type BodyFault =
  | 'BODY_TRUNCATED'
  | 'BODY_TRAILING_BYTES'
  | 'BODY_COUNT_IMPOSSIBLE'
  | 'BODY_TOO_DEEP'
  | 'BODY_BRANCH_UNKNOWN'
  | 'BODY_SYMBOL_UNKNOWN'
  | 'BODY_NUMBER_UNSAFE'
  | 'BODY_TEXT_INVALID'
  | 'BODY_KEY_FORBIDDEN'
  | 'BODY_UNREADABLE';

/** Looks at one body from its first byte to its last; null: it can be decoded. */
export type InspectBody = (body: Buffer) => BodyFault | null;

/** What avsc tells of a type; which of them it has, its `typeName` says. */
type TypeParts = {
  readonly size: number;
  readonly symbols: readonly string[];
  readonly itemsType: avro.Type;
  readonly valuesType: avro.Type;
  readonly fields: readonly { readonly type: avro.Type }[];
  readonly types: readonly avro.Type[];
};

type Walk = (cursor: Cursor) => BodyFault | null;

/** As deep as JSON may be on HTTP (schemas/text.ts). A schema that contains itself meets it first. */
const nestingMax = 32;
/** In all arrays and maps of a body together: forty times what the largest order holds (500 lines). */
const itemsMax = 20_000;
const int32Max = 2 ** 31 - 1;

/**
 * Walks a schema over bytes before they are decoded, and makes nothing of them. avsc believes what a block says of itself:
 * five bytes of `array<null>` held it for 15.9 s, six of an array of records ended the process (notes/libraries.md), a
 * block whose size lies sends its skipper backwards, and a map's key `__proto__` vanishes.
 * Every item costs at least one byte here, also where its type has none: no honest schema of ours has such an array.
 */
export function inspectorOf(type: avro.Type): InspectBody {
  const walk = walkOf(type, new Map());
  return (body) => {
    const cursor = { bytes: body, at: 0, integer: 0, depth: 0, items: 0 };
    return walk(cursor) ?? (cursor.at < body.length ? 'BODY_TRAILING_BYTES' : null);
  };
}

function walkOf(type: avro.Type, known: Map<avro.Type, Walk>): Walk {
  const seen = known.get(type);
  if (seen !== undefined) return seen;
  // A schema may contain itself: the entry is there before its walk is.
  let walk: Walk = () => 'BODY_UNREADABLE';
  known.set(type, (cursor) => walk(cursor));
  walk = walkOfKind(type, known);
  known.set(type, walk);
  return walk;
}

function walkOfKind(type: avro.Type, known: Map<avro.Type, Walk>): Walk {
  const parts = type as unknown as TypeParts;
  switch (type.typeName) {
    case 'null':
      return () => null;
    case 'boolean':
      return booleanWalk;
    case 'int':
      return intWalk;
    case 'long':
    case 'abstract:long':
      return readInteger;
    case 'float':
      return fixedWalk(4);
    case 'double':
      return fixedWalk(8);
    case 'string':
      return textWalk;
    case 'bytes':
      return bytesWalk;
    case 'fixed':
      return fixedWalk(parts.size);
    case 'enum':
      return enumWalk(parts.symbols.length);
    case 'array':
      return blocksWalk(nested(walkOf(parts.itemsType, known)), null);
    case 'map':
      return blocksWalk(nested(walkOf(parts.valuesType, known)), readKey);
    case 'record':
      return nested(recordWalk(parts.fields.map((field) => walkOf(field.type, known))));
    case 'union:wrapped':
    case 'union:unwrapped':
      return unionWalk(parts.types.map((branch) => walkOf(branch, known)));
    default:
      return () => 'BODY_UNREADABLE';
  }
}

const booleanWalk: Walk = (cursor) => {
  const byte = cursor.bytes[cursor.at];
  if (byte === undefined) return 'BODY_TRUNCATED';
  cursor.at += 1;
  return byte > 1 ? 'BODY_UNREADABLE' : null;
};

const intWalk: Walk = (cursor) => {
  const fault = readInteger(cursor);
  if (fault !== null) return fault;
  return cursor.integer > int32Max || cursor.integer < -int32Max - 1 ? 'BODY_NUMBER_UNSAFE' : null;
};

const bytesWalk: Walk = (cursor) => readInteger(cursor) ?? skip(cursor, cursor.integer);

const textWalk: Walk = (cursor) => {
  const fault = readInteger(cursor);
  if (fault !== null) return fault;
  const start = cursor.at;
  const cut = skip(cursor, cursor.integer);
  if (cut !== null) return cut;
  return isText(cursor.bytes, start, cursor.at) ? null : 'BODY_TEXT_INVALID';
};

function fixedWalk(size: number): Walk {
  return (cursor) => skip(cursor, size);
}

function enumWalk(symbols: number): Walk {
  return (cursor) => {
    const fault = readInteger(cursor);
    if (fault !== null) return fault;
    return cursor.integer < 0 || cursor.integer >= symbols ? 'BODY_SYMBOL_UNKNOWN' : null;
  };
}

function unionWalk(branches: readonly Walk[]): Walk {
  return (cursor) => {
    const fault = readInteger(cursor);
    if (fault !== null) return fault;
    const branch = branches[cursor.integer];
    return branch === undefined ? 'BODY_BRANCH_UNKNOWN' : branch(cursor);
  };
}

function recordWalk(fields: readonly Walk[]): Walk {
  return (cursor) => {
    for (const field of fields) {
      const fault = field(cursor);
      if (fault !== null) return fault;
    }
    return null;
  };
}

function nested(walk: Walk): Walk {
  return (cursor) => {
    if (cursor.depth >= nestingMax) return 'BODY_TOO_DEEP';
    cursor.depth += 1;
    const fault = walk(cursor);
    cursor.depth -= 1;
    return fault;
  };
}

type ReadKey = (cursor: Cursor, keys: Set<string>) => BodyFault | null;

/** Blocks until one of no items. A block of -n items says its size in bytes, and a skipper would believe it. */
function blocksWalk(item: Walk, key: ReadKey | null): Walk {
  return (cursor) => {
    const keys = new Set<string>();
    for (;;) {
      const fault = readInteger(cursor);
      if (fault !== null) return fault;
      if (cursor.integer === 0) return null;
      const items = Math.abs(cursor.integer);
      const sized = cursor.integer < 0;
      const sizeFault = sized ? readInteger(cursor) : null;
      if (sizeFault !== null) return sizeFault;
      const end = sized ? cursor.at + cursor.integer : null;
      cursor.items += items;
      if (cursor.items > itemsMax || items > cursor.bytes.length - cursor.at) return 'BODY_COUNT_IMPOSSIBLE';
      for (let index = 0; index < items; index += 1) {
        const itemFault = (key === null ? null : key(cursor, keys)) ?? item(cursor);
        if (itemFault !== null) return itemFault;
      }
      if (end !== null && end !== cursor.at) return 'BODY_COUNT_IMPOSSIBLE';
    }
  };
}

/** `__proto__` is the one key that an object literal cannot hold; of two equal ones it would hold the later. */
function readKey(cursor: Cursor, keys: Set<string>): BodyFault | null {
  const fault = textWalk(cursor);
  if (fault !== null) return fault;
  const key = cursor.bytes.toString('latin1', cursor.at - cursor.integer, cursor.at);
  if (keys.has(key) || key === '__proto__') return 'BODY_KEY_FORBIDDEN';
  keys.add(key);
  return null;
}

function skip(cursor: Cursor, size: number): BodyFault | null {
  if (size < 0 || size > cursor.bytes.length - cursor.at) return 'BODY_TRUNCATED';
  cursor.at += size;
  return null;
}

/** Most texts are ASCII: only another one is looked at as UTF-8. */
function isText(bytes: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) {
    if ((bytes[at] ?? 0) >= 0x80) return isUtf8(bytes.subarray(start, end));
  }
  return true;
}
