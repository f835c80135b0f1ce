import avro from 'avsc';

/**
 * avsc's own long stops at 2^53-2 (5.7.9, `isSafeLong`), one below the largest amount of money. This one takes every safe
 * integer and still refuses what a number cannot hold.
 */
export const safeLong = avro.types.LongType.__with({
  fromBuffer: (bytes: Buffer) => {
    const value = Number(bytes.readBigInt64LE());
    if (!Number.isSafeInteger(value)) throw new Error('potential precision loss');
    return value;
  },
  toBuffer: (value: number) => {
    if (!Number.isSafeInteger(value)) throw new Error(`not a safe integer: ${value}`);
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  fromJSON: (value: unknown) => value,
  toJSON: (value: unknown) => value,
  isValid: (value: unknown) => Number.isSafeInteger(value),
  compare: (a: number, b: number) => a - b,
});
