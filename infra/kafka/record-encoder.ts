import { createRequire } from 'node:module';

type Bytes = Buffer | string | null | undefined;

/** A record as the driver hands it to its encoder. */
export type DriverRecord = {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key: Bytes;
  readonly value: Bytes;
  readonly headers?: Readonly<Record<string, Bytes | readonly Bytes[]>>;
};

/** What the driver takes for one of its encoders. */
export type EncodedRecord = { readonly buf: Buffer; readonly buffer: Buffer };

const moduleName = 'kafkajs/src/protocol/recordBatch/record/v0/index.js';

/**
 * kafkajs 2.2.4 encodes each header with an encoder of its own, and each length with two lists: with the sixteen headers of
 * an event, more than half of all CPU of a produce. Here a record is written in one pass, the same bytes. The driver
 * loads its encoder with the first produce, so this is to be called before one.
 */
export function useRecordEncoder(): void {
  const load = createRequire(import.meta.url);
  load(moduleName);
  const loaded = load.cache[load.resolve(moduleName)];
  if (loaded === undefined) throw new Error('kafkajs has another encoder of records than 2.2.4');
  loaded.exports = encodeRecord;
}

/** Length varint, attributes, time and offset beside the batch's, key, value, headers: Kafka's record of magic 2. */
export function encodeRecord(record: DriverRecord): EncodedRecord {
  const { offsetDelta = 0, timestampDelta = 0, key, value, headers = {} } = record;
  end = 0;
  room(1);
  body[end++] = 0;
  writeVarInt(timestampDelta);
  writeVarInt(offsetDelta);
  writeBytes(key);
  writeBytes(value);
  writeVarInt(countOf(headers));
  for (const name in headers) {
    const content = headers[name];
    for (const each of Array.isArray(content) ? (content as readonly Bytes[]) : [content as Bytes]) {
      writeBytes(name);
      writeBytes(each);
    }
  }
  const bodyBytes = end;
  // Behind the body, for it is in front of the body that its length belongs.
  writeVarInt(bodyBytes);
  const buf = Buffer.allocUnsafe(end);
  body.copy(buf, 0, bodyBytes, end);
  body.copy(buf, end - bodyBytes, 0, bodyBytes);
  return { buf, buffer: buf };
}

function countOf(headers: NonNullable<DriverRecord['headers']>): number {
  let count = 0;
  for (const name in headers) {
    const content = headers[name];
    count += Array.isArray(content) ? content.length : 1;
  }
  return count;
}

/** Where the record at hand is written; as large as the largest that there was. Nothing waits between its bytes. */
let body = Buffer.allocUnsafe(16 * 1_024);
let end = 0;

const varIntBytesMax = 8;
/** Texts below it have a length of one byte, and are mostly ASCII: a loop is faster than the call into the runtime. */
const shortText = 64;

function room(bytes: number): void {
  if (end + bytes <= body.length) return;
  const larger = Buffer.allocUnsafe(2 * (end + bytes));
  body.copy(larger, 0, 0, end);
  body = larger;
}

/** Zigzag, seven bits a byte. Integers up to 2^52: offsets and lengths are far below, times of a batch as well. */
function writeVarInt(value: number): void {
  room(varIntBytesMax);
  let left = value < 0 ? -2 * value - 1 : 2 * value;
  while (left >= 0x80) {
    body[end++] = (left % 0x80) | 0x80;
    left = Math.floor(left / 0x80);
  }
  body[end++] = left;
}

function writeBytes(content: Bytes): void {
  if (content === null || content === undefined) writeVarInt(-1);
  else if (typeof content === 'string') writeText(content);
  else {
    writeVarInt(content.length);
    room(content.length);
    end += content.copy(body, end);
  }
}

function writeText(text: string): void {
  if (text.length < shortText && wroteAscii(text)) return;
  const bytes = Buffer.byteLength(text);
  writeVarInt(bytes);
  room(bytes);
  end += body.write(text, end);
}

/** False: it is none, and nothing was written. */
function wroteAscii(text: string): boolean {
  const { length } = text;
  room(1 + length);
  let at = end;
  body[at++] = 2 * length;
  for (let n = 0; n < length; n += 1) {
    const code = text.charCodeAt(n);
    if (code > 0x7f) return false;
    body[at++] = code;
  }
  end = at;
  return true;
}
