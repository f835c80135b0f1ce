import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { depthMax } from '../../schemas/text.ts';
import { findStructureFault, keysMax } from './json-structure.ts';
import type { StructureFault } from './json-structure.ts';

const scan = (text: string) => findStructureFault(Buffer.from(text));

describe('the structure of a body', () => {
  it.each([
    ['a repeated key', '{"a":1,"a":2}', 'duplicate-key', '/a'],
    ['a key repeated with an escape', '{"a":1,"\\u0061":2}', 'duplicate-key', '/a'],
    ['a key repeated without its escape', '{"\\u0061":1,"a":2}', 'duplicate-key', '/a'],
    ['a key repeated after another', '{"a":1,"b":2,"\\u0061":2}', 'duplicate-key', '/a'],
    ['a repeated key of no letters', '{"":1,"":2}', 'duplicate-key', '/'],
    ['a repeated key deep inside', '{"a/b~":{"x":[1,{"y":0,"y":1}]}}', 'duplicate-key', '/a~1b~0/x/1/y'],
    ['a repeated key of two bytes', '{"ü":1,"\\u00fc":2}', 'duplicate-key', '/ü'],
    ['a repeated key of a surrogate pair', '{"\\ud83d\\uded2":1,"🛒":2}', 'duplicate-key', '/🛒'],
    ['a repeated __proto__', '{"__proto__":1,"__proto__":2}', 'duplicate-key', '/__proto__'],
    ['a key repeated around an object with the same', ' { "a" : { "a" : 1 } , "a" : 2 } ', 'duplicate-key', '/a'],
    ['a repeated key of 300 letters', `{"${'k'.repeat(300)}":1,"${'k'.repeat(300)}":2}`, 'duplicate-key', ''],
    ['a repeated 17th key', `{${keys(16)},"k3":0}`, 'duplicate-key', '/k3'],
    ['33 open arrays', '['.repeat(depthMax + 1), 'too-deep', '/0'.repeat(depthMax)],
    ['32 open arrays in an object', `{"a":${'['.repeat(depthMax)}`, 'too-deep', `/a${'/0'.repeat(depthMax - 1)}`],
    ['1,001 keys', `{"a":{${keys(keysMax + 1)}}}`, 'too-many-keys', '/a'],
  ] as const)('with %s is refused', (...row) => {
    const [, text, kind, pointer] = row;
    expect(scan(text)).toEqual({ kind, pointer });
  });

  it.each([
    ['equal keys in different objects', '{"a":{"a":1},"b":[{"a":1},{"a":2}]}'],
    ['equal keys with escapes in different objects', '[{"\\u0061":1},{"\\u0061":2},{"a":3}]'],
    ['values that equal keys', '{"a":"a","b":"a"}'],
    ['JSON as a value', '{"a":"\\"a\\":1,\\"a\\":2"}'],
    ['keys that look alike', '{"line1":1,"line2":2,"lane1":3}'],
    ['keys in other letters', '{"a":1,"A":2,"á":3}'],
    ['keys that need escapes', '{"\\\\":1,"\\"":2,"\\/":3}'],
    ['32 arrays in each other', `${'['.repeat(depthMax)}${']'.repeat(depthMax)}`],
    ['1,000 objects beside each other', `[${'{"a":[[]]},'.repeat(1_000)}0]`],
    ['1,000 keys', `{${keys(keysMax)}}`],
    ['no object', '"a"'],
    ['nothing', ''],
  ])('with %s is well', (_title, text) => {
    expect(scan(text)).toBeNull();
  });

  it('is the one that a slow reading of the whole text finds', () => {
    fc.assert(
      fc.property(document, ({ text, fault }) => {
        expect(() => void JSON.parse(text)).not.toThrow();
        expect(scan(text)).toEqual(fault);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is never at fault where JSON was written by JSON.stringify', () => {
    fc.assert(fc.property(fc.json({ maxDepth: depthMax - 1 }), (text) => scan(text) === null));
  });

  it('is looked for in any bytes without a throw, and without a memory of the ones before', () => {
    const broken = fc
      .tuple(document, fc.nat(), fc.constantFrom('', '"', '\\', '{', '}', '[', ']', ','))
      .map((parts) => {
        const [{ text }, at, bit] = parts;
        const cut = at % (text.length + 1);
        return Buffer.from(text.slice(0, cut) + bit + text.slice(cut + 1));
      });
    const any = fc.uint8Array().map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.oneof(broken, any), (bytes) => {
        expect(findStructureFault(bytes)).toEqual(findStructureFault(bytes));
        expect(scan('{"a":{"b":1},"c":[{"b":1}]}')).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  // 1 MiB each. Anything quadratic in them would take minutes.
  it.each([
    ['keys', `{${keys(100_000)}}`],
    ['objects of many keys', `[${`{${keys(900)}},`.repeat(100)}0]`],
    ['keys with escapes', `[${'{"\\u0061":1},'.repeat(75_000)}0]`],
    ['keys that look alike', `[${`{${alike(16)}},`.repeat(600)}0]`],
    ['a long key', `{"${'k'.repeat(500_000)}":1,"${'k'.repeat(500_000)}":1}`],
    ['escaped quotes', `{"a":"${'\\"'.repeat(500_000)}"}`],
    ['backslashes', `{"a":"${'\\\\'.repeat(500_000)}`],
    ['closing brackets', ']'.repeat(1_000_000)],
    ['commas', `[${','.repeat(1_000_000)}`],
    ['quotes', '"'.repeat(1_000_000)],
  ])('takes time in proportion to the text: %s', (_title, text) => {
    // Of this thread alone: whatever else the machine does is no fault of the scan.
    const before = process.threadCpuUsage();
    scan(text);
    expect(process.threadCpuUsage(before).user).toBeLessThan(1_000_000);
  });
});

function keys(count: number): string {
  return Array.from({ length: count }, (_, i) => `"k${i}":0`).join();
}

/** The same length, first and last letter: only a look at the middle tells them apart. */
function alike(count: number): string {
  return Array.from({ length: count }, (_, i) => `"${'k'.repeat(90)}${String(i).padStart(2, '0')}k":0`).join();
}

type Tree = string | readonly Tree[] | Members;
type Members = { readonly members: readonly (readonly [key: string, value: Tree])[] };
type Written = { readonly text: string; readonly fault: StructureFault | null };

const key = fc.oneof(
  fc.constantFrom(
    'a',
    'b',
    'ab',
    'line1',
    'line2',
    'lane1',
    'lane2',
    '',
    '/',
    '~',
    '"',
    '\\',
    'ü',
    '🛒',
    '\ud800',
    '__proto__',
  ),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.oneof(
      fc.constantFrom('0', 'null', '-1.5e3', '"x"', '"\\"{[,:"'),
      fc.string().map((text) => JSON.stringify(text)),
    ),
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.record({ members: fc.array(fc.tuple(key, tie('tree')), { maxLength: 24 }) }),
  ),
}));

/** A text with its first fault, as somebody finds it who reads slowly. Each key is spelled in one of three ways. */
const document = fc
  .tuple(tree, fc.nat({ max: depthMax + 2 }), fc.infiniteStream(fc.nat(2)), fc.constantFrom('', ' ', '\n\t'))
  .map(([root, wraps, spellings, space]): Written => {
    const wrapped = Array.from({ length: wraps }).reduce<Tree>((inner) => [inner], root);
    return { text: write(wrapped, { spellings, space }), fault: firstFault(wrapped, '', 0) };
  });

type Manner = { readonly spellings: Iterator<number>; readonly space: string };

function write(value: Tree, manner: Manner): string {
  if (typeof value === 'string') return value;
  const { space } = manner;
  const comma = `${space},${space}`;
  if ('members' in value) {
    const members = value.members.map(
      ([name, member]) => `${spell(name, manner)}${space}:${space}${write(member, manner)}`,
    );
    return `{${space}${members.join(comma)}${space}}`;
  }
  return `[${value.map((element) => write(element, manner)).join(comma)}]`;
}

function spell(name: string, { spellings }: Manner): string {
  switch (spellings.next().value) {
    case 0: {
      const units = Array.from({ length: name.length }, (_, i) => name.charCodeAt(i).toString(16).padStart(4, '0'));
      return `"${units.map((unit) => `\\u${unit}`).join('')}"`;
    }
    case 1:
      return JSON.stringify(name).replaceAll('/', '\\/');
    default:
      return JSON.stringify(name);
  }
}

function firstFault(value: Tree, pointer: string, depth: number): StructureFault | null {
  if (typeof value === 'string') return null;
  if (depth === depthMax) return { kind: 'too-deep', pointer };
  const seen = new Set<string>();
  const named = 'members' in value;
  const members = named ? value.members : value.map((element, index) => [String(index), element] as const);
  for (const [name, member] of members) {
    const place = `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (named && seen.has(name)) return { kind: 'duplicate-key', pointer: place };
    seen.add(name);
    const fault = firstFault(member, place, depth + 1);
    if (fault !== null) return fault;
  }
  return null;
}
