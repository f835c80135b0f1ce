import { createRequire } from 'node:module';

type Header = { readonly key: string; readonly value: Buffer | null };
type Headers = Record<string, Buffer | null | (Buffer | null)[]>;
type ArrayDecoder = { readVarIntArray(this: ArrayDecoder, reader: (decoder: ArrayDecoder) => unknown): unknown[] };

/** The driver's reader of bytes; its only arrays of this kind are a record's headers (kafkajs 2.2.4). */
const decoder = createRequire(import.meta.url)('kafkajs/src/protocol/decoder.js') as {
  readonly prototype: ArrayDecoder;
};

/**
 * Makes the driver collect a record's headers in one pass. By itself it copies the object for each of them, so that ten
 * thousand headers, which fit into 70 KiB, held the event loop for more than 20 s (measured), and takes what every object
 * has (`toString`) for the first value of a header of that name. Call it before the first record is read; again does nothing.
 */
export function collectHeadersOnce(): void {
  const { prototype } = decoder;
  const { readVarIntArray } = prototype;
  if (patched.has(readVarIntArray)) return;
  prototype.readVarIntArray = function readHeaders(reader) {
    const items = readVarIntArray.call(this, reader);
    return Object.assign(items, { reduce: () => collected(items as Header[]) });
  };
  patched.add(prototype.readVarIntArray);
}

const patched = new WeakSet();

/** As the driver gives them: of a name that is there several times, all values in an array. */
function collected(items: readonly Header[]): Headers {
  const values = new Map<string, Headers[string]>();
  for (const { key, value } of items) {
    const before = values.get(key);
    if (before === undefined) values.set(key, value);
    else if (Array.isArray(before)) before.push(value);
    else values.set(key, [before, value]);
  }
  return Object.fromEntries(values);
}
