import avro from 'avsc';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { avroWriter, readBody } from './writer.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
const record = (name: string, type: unknown) => ({ type: 'record', name, fields: [{ name: 'value', type }] });

/** Of a record with one field of the type. */
function read(type: unknown, body: Buffer) {
  const writer = avroWriter(record('Example', type));
  const startMs = performance.now();
  const answer = readBody(body, writer, writer);
  return { answer, tookMs: performance.now() - startMs };
}

/** avsc needs seconds to minutes for each of these (notes/bad-input.md); a refusal takes a few microseconds. */
const refusalMaxMs = 50;
const manyItems = hex('80 c8 af 9a 03');

type Row = readonly [title: string, type: unknown, body: Buffer, expected: unknown];
const cases = (rows: readonly Row[]) =>
  rows.map(([title, type, body, expected]) => [title, { type, body, expected }] as const);

describe('a bomb', () => {
  const line = record('Line', ['null', 'string']);
  it.each(
    cases([
      [
        '5 bytes that claim 5·10^7 nulls',
        { type: 'array', items: 'null' },
        hex('80 c2 d7 2f 00'),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      [
        '6 bytes that claim 10^9 records',
        { type: 'array', items: line },
        hex('80 a8 d6 b9 07 00'),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      [
        'records without fields',
        { type: 'array', items: { type: 'record', name: 'Nothing', fields: [] } },
        hex('80 c2 d7 2f 00'),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      ['a map of 4·10^8', { type: 'map', values: 'null' }, manyItems, 'BODY_COUNT_IMPOSSIBLE'],
      [
        'a count of -(2^53-1)',
        { type: 'array', items: 'null' },
        hex('fd ff ff ff ff ff ff 1f 00 00'),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      [
        'a count of 2^63-1',
        { type: 'array', items: 'null' },
        hex('fe ff ff ff ff ff ff ff ff 01'),
        'BODY_NUMBER_UNSAFE',
      ],
      ['an integer that never ends', 'long', Buffer.alloc(1_000, 0xff), 'BODY_NUMBER_UNSAFE'],
      ['a text of 2^40 bytes', 'string', hex('80 80 80 80 80 80 01'), 'BODY_TRUNCATED'],
      ['a text of -1 bytes', 'string', hex('01'), 'BODY_TRUNCATED'],
      [
        '10^6 blocks of nothing much',
        { type: 'array', items: 'null' },
        Buffer.alloc(1_000_000, 2),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      [
        'a block that says it ends where it began',
        { type: 'array', items: 'long' },
        hex('01 09 02 00'),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      [
        'a block that says it ends later',
        { type: 'array', items: 'long' },
        hex('01 04 02 00'),
        'BODY_COUNT_IMPOSSIBLE',
      ],
      ['bytes of -5', 'bytes', hex('09 00 00'), 'BODY_TRUNCATED'],
    ]),
  )('is refused at once: %s', (_, { type, body, expected }) => {
    const { answer, tookMs } = read(type, body);
    expect(answer).toEqual({ kind: 'fault', code: expected });
    expect(tookMs).toBeLessThan(refusalMaxMs);
  });

  it('that holds itself 2·10^5 times is refused, and its honest sister read', () => {
    const list = { type: 'record', name: 'List', fields: [{ name: 'next', type: ['null', 'List'] }] };
    const writer = avroWriter(list);
    const startMs = performance.now();
    const deep = Buffer.concat([Buffer.alloc(200_000, 2), Buffer.from([0])]);
    expect(readBody(deep, writer, writer)).toEqual({ kind: 'fault', code: 'BODY_TOO_DEEP' });
    expect(performance.now() - startMs).toBeLessThan(refusalMaxMs);
    expect(readBody(hex('02 02 00'), writer, writer)).toEqual({
      kind: 'data',
      data: { next: { next: { next: null } } },
    });
  });

  it('in a field that the reader does not know is refused as well', () => {
    const writer = avroWriter({
      type: 'record',
      name: 'Example',
      fields: [
        { name: 'extra', type: { type: 'array', items: 'null' } },
        { name: 'value', type: 'string' },
      ],
    });
    const reader = avroWriter(record('Example', 'string'));
    expect(readBody(hex('80 c2 d7 2f 00 02 61'), writer, reader)).toMatchObject({ code: 'BODY_COUNT_IMPOSSIBLE' });
    expect(readBody(hex('00 02 61'), writer, reader)).toEqual({ kind: 'data', data: { value: 'a' } });
  });
});

describe('a body that does not fit its schema', () => {
  it.each(
    cases([
      ['an unknown branch', ['null', 'string'], hex('04'), 'BODY_BRANCH_UNKNOWN'],
      ['a negative branch', ['null', 'string'], hex('01'), 'BODY_BRANCH_UNKNOWN'],
      ['an unknown symbol', { type: 'enum', name: 'Symbol', symbols: ['A', 'B'] }, hex('04'), 'BODY_SYMBOL_UNKNOWN'],
      ['2^53', 'long', hex('80 80 80 80 80 80 80 20'), 'BODY_NUMBER_UNSAFE'],
      ['-2^53', 'long', hex('ff ff ff ff ff ff ff 1f'), 'BODY_NUMBER_UNSAFE'],
      ['an int of 2^31', 'int', hex('80 80 80 80 10'), 'BODY_NUMBER_UNSAFE'],
      ['a boolean of 2', 'boolean', hex('02'), 'BODY_UNREADABLE'],
      ['a text that is no UTF-8', 'string', hex('04 c3 28'), 'BODY_TEXT_INVALID'],
      ['half a surrogate pair', 'string', hex('06 ed a0 80'), 'BODY_TEXT_INVALID'],
      [
        'the key __proto__',
        { type: 'map', values: 'string' },
        hex('02 12 5f5f70726f746f5f5f 02 61 00'),
        'BODY_KEY_FORBIDDEN',
      ],
      [
        'the key __proto__, its length written long',
        { type: 'map', values: 'string' },
        hex('02 9200 5f5f70726f746f5f5f 02 61 00'),
        'BODY_KEY_FORBIDDEN',
      ],
      ['a key twice', { type: 'map', values: 'string' }, hex('02 02 6b 02 61 02 02 6b 02 62 00'), 'BODY_KEY_FORBIDDEN'],
      ['nothing', 'string', Buffer.alloc(0), 'BODY_TRUNCATED'],
      ['more than all', 'string', hex('02 61 00'), 'BODY_TRAILING_BYTES'],
      ['half a double', 'double', hex('00 00 00 00'), 'BODY_TRUNCATED'],
      ['half a fixed', { type: 'fixed', name: 'Half', size: 4 }, hex('00 00'), 'BODY_TRUNCATED'],
    ]),
  )('is refused: %s', (_, { type, body, expected }) => {
    expect(read(type, body).answer).toEqual({ kind: 'fault', code: expected });
  });

  it.each(
    cases([
      ['the largest number', 'long', hex('fe ff ff ff ff ff ff 1f'), Number.MAX_SAFE_INTEGER],
      ['the smallest number', 'long', hex('fd ff ff ff ff ff ff 1f'), Number.MIN_SAFE_INTEGER],
      ['an int of -2^31', 'int', hex('ff ff ff ff 0f'), -(2 ** 31)],
      ['a text beyond ASCII', 'string', hex('08 f0 9f 8d b5'), '🍵'],
      ['an array in two blocks, one with its size', { type: 'array', items: 'long' }, hex('01 02 02 02 04 00'), [1, 2]],
      [
        'constructor as a key',
        { type: 'map', values: 'long' },
        hex('02 16 636f6e7374727563746f72 02 00'),
        { constructor: 1 },
      ],
    ]),
  )('is read where it only looks odd: %s', (_, { type, body, expected }) => {
    expect(read(type, body).answer).toEqual({ kind: 'data', data: { value: expected } });
  });
});

describe('the walk and the decoder', () => {
  const schemas = fc
    .letrec<{ schema: unknown }>((tie) => ({
      schema: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>('null', 'boolean', 'int', 'long', 'double', 'string', 'bytes', {
          type: 'array',
          items: 'string',
        }),
        tie('schema')
          .map((items) => ({ type: 'array', items: ['string', record('Item', items)] }))
          .filter(isSchema),
        tie('schema').map((values) => ({ type: 'map', values })),
        tie('schema')
          .map((type) => ['null', record('Part', type)])
          .filter(isSchema),
      ),
    }))
    .schema.filter(isSchema);

  it('agree on every value that the encoder wrote', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const writer = avroWriter(record('Example', schema));
        const value: unknown = writer.type.random();
        fc.pre(!JSON.stringify(schema).includes('"items":"null"'));
        expect(writer.inspect(writer.type.toBuffer(value))).toBeNull();
      }),
    );
  });

  it('agree on noise: what passes is decoded, and is encoded to what means the same', () => {
    fc.assert(
      fc.property(schemas, fc.uint8Array({ maxLength: 40 }), (schema, noise) => {
        const writer = avroWriter(record('Example', schema));
        const body = Buffer.from(noise);
        if (writer.inspect(body) !== null) return;
        const value: unknown = writer.type.fromBuffer(body);
        expect(writer.type.fromBuffer(writer.type.toBuffer(value))).toEqual(value);
      }),
      { numRuns: 2_000 },
    );
  });
});

function isSchema(type: unknown): boolean {
  try {
    avro.Type.forSchema(record('Example', type) as avro.Schema, { wrapUnions: false });
    return true;
  } catch {
    return false;
  }
}
