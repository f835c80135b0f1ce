/** A place in bytes, with what the walk may still spend. */
export type Cursor = {
  readonly bytes: Buffer;
  at: number;
  /** The integer that was read last. */
  integer: number;
  depth: number;
  /** What arrays and maps claimed so far. */
  items: number;
};

export type NumberFault = 'BODY_TRUNCATED' | 'BODY_NUMBER_UNSAFE';

/** Seven groups of seven bits are exact in a double, also times two; what is longer goes by BigInt. */
const plainBytesMax = 7;
const longBytesMax = 10;

/** Reads a zigzag varint into `cursor.integer`; answers what is wrong with it. */
export function readInteger(cursor: Cursor): NumberFault | null {
  const { bytes } = cursor;
  let raw = 0;
  let scale = 1;
  const start = cursor.at;
  for (let length = 0; length < plainBytesMax; length += 1) {
    const byte = bytes[cursor.at];
    if (byte === undefined) return 'BODY_TRUNCATED';
    cursor.at += 1;
    raw += (byte & 0x7f) * scale;
    if (byte < 0x80) {
      cursor.integer = raw % 2 === 0 ? raw / 2 : -(raw + 1) / 2;
      return null;
    }
    scale *= 128;
  }
  cursor.at = start;
  return readLongInteger(cursor);
}

function readLongInteger(cursor: Cursor): NumberFault | null {
  let raw = 0n;
  for (let length = 0; length < longBytesMax; length += 1) {
    const byte = cursor.bytes[cursor.at];
    if (byte === undefined) return 'BODY_TRUNCATED';
    cursor.at += 1;
    raw |= BigInt(byte & 0x7f) << BigInt(7 * length);
    if (byte < 0x80) {
      const value = Number((raw & 1n) === 0n ? raw >> 1n : -((raw + 1n) >> 1n));
      if (!Number.isSafeInteger(value)) return 'BODY_NUMBER_UNSAFE';
      cursor.integer = value;
      return null;
    }
  }
  return 'BODY_NUMBER_UNSAFE';
}
