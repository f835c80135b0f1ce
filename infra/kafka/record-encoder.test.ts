import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { encodeRecord, type DriverRecord, type EncodedRecord } from './record-encoder.ts';

const driversOwn = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  record: DriverRecord,
) => EncodedRecord;

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: 'grapheme-ascii', maxLength: 80 }),
);
const bytes = fc.oneof(text, fc.uint8Array({ maxLength: 300 }).map(Buffer.from));
const record: fc.Arbitrary<DriverRecord> = fc.record({
  offsetDelta: fc.nat({ max: 5_000 }),
  timestampDelta: fc.nat({ max: 2 ** 40 }),
  key: fc.option(bytes),
  value: fc.option(fc.oneof(bytes, fc.uint8Array({ minLength: 20_000, maxLength: 40_000 }).map(Buffer.from))),
  headers: fc.dictionary(text, fc.oneof(bytes, fc.array(bytes, { maxLength: 3 })), { noNullPrototype: true }),
});

it('writes every record as the driver does, to the byte', () => {
  fc.assert(
    fc.property(record, (each) => {
      expect(encodeRecord(each).buffer.equals(driversOwn(each).buffer)).toBe(true);
    }),
    { numRuns: 500 },
  );
});

it('gives each record bytes of its own', () => {
  const first = encodeRecord({ key: 'a', value: Buffer.from('first') });
  const before = Buffer.from(first.buffer);
  encodeRecord({ key: 'b', value: Buffer.from('second') });
  expect(first.buffer.equals(before)).toBe(true);
});
