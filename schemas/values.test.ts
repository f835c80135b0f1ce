import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { errorCodes } from './error-codes.ts';
import { isIsoTime } from './iso-time.ts';
import { amountMax, isCurrency, sum, times } from './money.ts';
import { depthMax, findBadText, keyLengthMax } from './text.ts';

describe('canonical JSON', () => {
  it('is one text for one value, in whatever order its keys came', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        expect(canonicalJson(withKeysReversed(value))).toBe(canonicalJson(value));
      }),
    );
  });

  it('reads back as the same value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const text = canonicalJson(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('tells values apart that differ', () => {
    const texts = [{ a: 1 }, { a: '1' }, { a: [1] }, { a: null }, {}, [], [null], null, '', 0, false, { b: 1 }].map(
      canonicalJson,
    );
    expect(new Set(texts).size).toBe(texts.length);
  });

  it('leaves out what is undefined, has no spaces and sorts by code unit', () => {
    expect(canonicalJson({ b: [1, undefined], a: undefined, B: { é: true, z: null } })).toBe(
      '{"B":{"z":null,"é":true},"b":[1,null]}',
    );
  });
});

describe('money', () => {
  it('adds exactly or not at all', () => {
    const amount = fc.integer({ min: 0, max: amountMax });
    fc.assert(
      fc.property(fc.array(amount, { maxLength: 5 }), (amounts) => {
        const exact = amounts.reduce((total, value) => total + BigInt(value), 0n);
        expect(sum(amounts)).toBe(exact > BigInt(amountMax) ? null : Number(exact));
      }),
    );
  });

  it('multiplies exactly or not at all', () => {
    const factor = fc.oneof(fc.integer({ min: 0, max: 10_000 }), fc.integer({ min: 0, max: amountMax }));
    fc.assert(
      fc.property(factor, factor, (quantity, price) => {
        const exact = BigInt(quantity) * BigInt(price);
        expect(times(quantity, price)).toBe(exact > BigInt(amountMax) ? null : Number(exact));
      }),
    );
  });

  it('knows the ISO 4217 codes that money can be in', () => {
    for (const code of ['EUR', 'BRL', 'JPY', 'KWD', 'USD']) expect(isCurrency(code)).toBe(true);
    for (const code of ['XXX', 'XTS', 'eur', 'EURO', '', '978', 'ZZZ']) expect(isCurrency(code)).toBe(false);
  });
});

describe('text that no store can hold', () => {
  it.each([
    ['NUL', { order: { lines: [{ name: 'a\u0000b' }] } }, '/order/lines/0/name'],
    ['an unpaired surrogate', ['fine', '\ud800'], '/1'],
    ['NUL in a key', { metadata: { 'a\u0000': 'x' } }, '/metadata'],
    ['a surrogate in a key', { metadata: { '\udfff': 'x' } }, '/metadata'],
    ['a key that is too long', { metadata: { ['k'.repeat(keyLengthMax + 1)]: 'x' } }, '/metadata'],
    ['bad text under a key with slashes', { 'a/b~c': '\u0000' }, '/a~1b~0c'],
    ['bad text alone', '\udc00', ''],
  ])('is found by its JSON pointer: %s', (_, value, pointer) => {
    expect(findBadText(value)).toBe(pointer);
  });

  it('is not what people write', () => {
    expect(
      findBadText({ name: 'Zoë 🛒 \u202e‮עברית', none: null, count: 1, ['k'.repeat(keyLengthMax)]: true }),
    ).toBeNull();
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        (text) => findBadText({ text: text.replaceAll('\u0000', '') }) === null,
      ),
    );
  });

  it('is a place too deep', () => {
    expect(findBadText(nested(depthMax))).toBeNull();
    expect(findBadText(nested(depthMax + 1))).toBe('/a'.repeat(depthMax));
    expect(findBadText(nested(5_000))).toBe('/a'.repeat(depthMax));
  });
});

describe('times', () => {
  it.each([
    '2018-10-17T17:30:18Z',
    '2018-10-17T17:30:18.123456-03:00',
    '2024-02-29T00:00:00Z',
    '9999-12-31T23:59:59+14:00',
    '9999-12-31T23:59:59.999999999Z',
    '0001-01-01T00:00:00Z',
    '2018-10-17T17:30:18+15:59',
  ])('%s is one', (text) => {
    expect(isIsoTime(text)).toBe(true);
  });

  it.each([
    '',
    'yesterday',
    '2018-10-17',
    '2018-10-17T17:30:18',
    '2018-10-17 17:30:18Z',
    '2023-02-29T00:00:00Z',
    '2018-13-01T00:00:00Z',
    '2018-10-17T24:00:00Z',
    '2018-10-17T23:59:60Z',
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+14:00',
    '0001-01-01T15:58:59.999+15:59',
    '9999-12-31T23:59:59-12:00',
    '9999-12-31T23:00:00-01:00',
    '2018-10-17T17:30:18+16:00',
    '2018-10-17T17:30:18-23:59',
    '+12018-10-17T17:30:18Z',
    '2018-10-17T17:30:18Z\n',
  ])('%j is none', (text) => {
    expect(isIsoTime(text)).toBe(false);
  });
});

describe('error codes', () => {
  it('have an HTTP status, a title and help for whoever meets them', () => {
    for (const [code, { status, title, help }] of Object.entries(errorCodes)) {
      expect(code).toMatch(/^[A-Z][A-Z_]+$/);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(600);
      expect(title).not.toBe('');
      expect(help).toMatch(/\.$/);
    }
  });
});

function withKeysReversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withKeysReversed);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, member]) => [key, withKeysReversed(member)]));
}

function nested(depth: number): unknown {
  let value: unknown = 'x';
  for (let level = 0; level < depth; level += 1) value = { a: value };
  return value;
}
