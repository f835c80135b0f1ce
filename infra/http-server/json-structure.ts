import { depthMax, keyLengthMax } from '../../schemas/text.ts';
import { escapePointer } from './validation.ts';

/** What parsing would hide (the last of two equal keys wins) or suffer from (nesting, and keys by the million). */
export type StructureFault = {
  readonly kind: 'duplicate-key' | 'too-deep' | 'too-many-keys';
  /** RFC 6901: the repeated field, the array or object that is too deep, the object that has too many. */
  readonly pointer: string;
};

const quote = 0x22;
const comma = 0x2c;
const openArray = 0x5b;
const backslash = 0x5c;
const closeArray = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** Of one object. The largest that is known, metadata, has 50; each one beyond would only cost the checks that follow. */
export const keysMax = 1_000;

/** So many keys of one object are compared pair by pair, without allocating; from there on a set knows them. */
const comparedKeysMax = 16;

// One frame for each open array or object. They are made once: a scan is synchronous and never entered twice.
const isObject = new Uint8Array(depthMax);
/** Of the newest key, without its quotes. */
const keyStart = new Int32Array(depthMax);
const keyEnd = new Int32Array(depthMax);
/** Keys so far, or elements before this one. */
const members = new Int32Array(depthMax);
const comparedStarts = new Int32Array(depthMax * comparedKeysMax);
const comparedSigns = new Int32Array(depthMax * comparedKeysMax);
/** Where pairs do not do: many keys, or keys with escapes. Emptied when their object ends. */
const keySets = new Array<Set<string> | undefined>(depthMax).fill(undefined);

/**
 * Finds the first key that its object has already, however either is escaped, and the first value nested deeper than
 * `depthMax`, and the first object of more than `keysMax` keys. One pass, linear in time, no recursion. It does not judge the JSON itself: of a text that is none it
 * may say nothing, and the parser does.
 * @param json UTF-8; only valid UTF-8 has one spelling a key
 */
export function findStructureFault(json: Buffer): StructureFault | null {
  try {
    return scan(json);
  } finally {
    keySets.fill(undefined);
  }
}

function scan(json: Buffer): StructureFault | null {
  let depth = -1;
  let keyIsNext = false;
  for (let at = 0; at < json.length; at += 1) {
    switch (json[at]) {
      case quote: {
        const end = endOfString(json, at + 1);
        if (keyIsNext) {
          if (members[depth] === keysMax) return fault('too-many-keys', json, depth - 1);
          if (isRepeated(json, depth, { start: at + 1, end })) return fault('duplicate-key', json, depth);
          keyIsNext = false;
        }
        at = end;
        break;
      }
      case comma:
        if (depth === -1) return null;
        keyIsNext = isObject[depth] === 1;
        if (!keyIsNext) members[depth] = (members[depth] ?? 0) + 1;
        break;
      case openObject:
      case openArray:
        if (depth + 1 === depthMax) return fault('too-deep', json, depth);
        depth += 1;
        keyIsNext = json[at] === openObject;
        isObject[depth] = keyIsNext ? 1 : 0;
        members[depth] = 0;
        break;
      case closeObject:
      case closeArray:
        if (depth === -1) return null;
        if (keySets[depth] !== undefined) keySets[depth] = undefined;
        depth -= 1;
        keyIsNext = false;
        break;
      default:
    }
  }
  return null;
}

/** The closing quote of the string that begins at `from`; the length of the text where there is none. */
function endOfString(json: Buffer, from: number): number {
  let at = from;
  while (at < json.length) {
    const byte = json[at];
    if (byte === quote) return at;
    at += byte === backslash ? 2 : 1;
  }
  return json.length;
}

type Span = { readonly start: number; readonly end: number };

/** Whether the object at `depth` has this key already; remembers it. */
function isRepeated(json: Buffer, depth: number, { start, end }: Span): boolean {
  const count = members[depth] ?? 0;
  members[depth] = count + 1;
  keyStart[depth] = start;
  keyEnd[depth] = end;
  if (keySets[depth] !== undefined || count === comparedKeysMax || hasEscape(json, start, end)) {
    return isInSet(json, depth, count);
  }
  const sign = signOf(json, start, end);
  const first = depth * comparedKeysMax;
  for (let other = first; other < first + count; other += 1) {
    if (comparedSigns[other] === sign && isSameText(json, start, comparedStarts[other] ?? 0)) return true;
  }
  comparedStarts[first + count] = start;
  comparedSigns[first + count] = sign;
  return false;
}

/** Tells most keys apart at one glance: the length, and the first and last byte. */
function signOf(json: Buffer, start: number, end: number): number {
  return ((end - start) << 16) ^ ((json[start] ?? 0) << 8) ^ (json[end - 1] ?? 0);
}

/** Both are without escapes, so a quote ends each. */
function isSameText(json: Buffer, one: number, other: number): boolean {
  let length = 0;
  while (json[one + length] === json[other + length] && json[one + length] !== quote) length += 1;
  return json[one + length] === json[other + length];
}

function hasEscape(json: Buffer, start: number, end: number): boolean {
  for (let at = start; at < end; at += 1) if (json[at] === backslash) return true;
  return false;
}

function isInSet(json: Buffer, depth: number, count: number): boolean {
  const keys = (keySets[depth] ??= comparedKeys(json, depth, count));
  const key = textOf(json, keyStart[depth] ?? 0, keyEnd[depth] ?? 0);
  if (keys.has(key)) return true;
  keys.add(key);
  return false;
}

function comparedKeys(json: Buffer, depth: number, count: number): Set<string> {
  const keys = new Set<string>();
  const first = depth * comparedKeysMax;
  for (let other = first; other < first + count; other += 1) {
    const start = comparedStarts[other] ?? 0;
    keys.add(textOf(json, start, endOfString(json, start)));
  }
  return keys;
}

/** A key as the parser would read it; one with a malformed escape as it is written, since the parser refuses it. */
function textOf(json: Buffer, start: number, end: number): string {
  const text = json.toString('utf8', start, end);
  if (!text.includes('\\')) return text;
  try {
    return JSON.parse(`"${text}"`) as string;
  } catch {
    return text;
  }
}

/** The place of the newest member of the frame at `depth`. */
function fault(kind: StructureFault['kind'], json: Buffer, depth: number): StructureFault {
  let pointer = '';
  for (let frame = 0; frame <= depth; frame += 1) {
    const member =
      isObject[frame] === 1 ? textOf(json, keyStart[frame] ?? 0, keyEnd[frame] ?? 0) : String(members[frame] ?? 0);
    // Who sends a key of a megabyte does not get it back: the pointer ends at what holds it.
    if (member.length > keyLengthMax) break;
    pointer += `/${escapePointer(member)}`;
  }
  return { kind, pointer };
}
