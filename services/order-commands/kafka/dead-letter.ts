import type { IncomingRecord, OutgoingRecord } from '../../../infra/kafka/port.ts';
import { unreadable, type Unreadable } from '../../../schemas/wire/unreadable.ts';

/** Of one record. An honest one has a handful; ten thousand of them are copied nowhere. */
export const headersMax = 64;
export const headerBytesMax = 16 * 1_024;

/** null: not more headers than anybody needs. */
export function tooManyHeaders({ headers = {} }: IncomingRecord): Unreadable | null {
  let [count, bytes] = [0, 0];
  for (const [name, content] of Object.entries(headers)) {
    for (const each of [content ?? ''].flat() as (Buffer | string)[]) {
      count += 1;
      bytes += name.length + each.length;
    }
  }
  if (count > headersMax) return unreadable('HEADER_INVALID', `more than ${headersMax} headers`);
  if (bytes > headerBytesMax) return unreadable('HEADER_INVALID', `more than ${headerBytesMax} bytes of headers`);
  return null;
}

/**
 * The record as it came, and why it cannot be read: sent again to the topic that it came from, it would come as it did.
 * Of more headers than the bound, those that it is found by are left.
 */
export function deadLetterOf(record: IncomingRecord, why: Unreadable): OutgoingRecord {
  const { topic, partition, offset, key, value } = record;
  const kept = tooManyHeaders(record) === null ? record.headers : found(record);
  return {
    topic: `${topic}.dead-letter`,
    key,
    value,
    headers: {
      ...kept,
      'dead-letter-reason': why.code,
      'dead-letter-detail': why.detail,
      'dead-letter-topic': topic,
      'dead-letter-partition': String(partition),
      'dead-letter-offset': String(offset),
    },
  };
}

/** For a record that fills a batch to the byte, so that its reason finds no room beside it: topic and offset tell where it is. */
export function withoutValue(letter: OutgoingRecord): OutgoingRecord {
  return { ...letter, value: null, headers: { ...letter.headers, 'dead-letter-value': 'left out: too large' } };
}

const findingMax = 255;

function found({ headers = {} }: IncomingRecord): NonNullable<OutgoingRecord['headers']> {
  const honest = (name: string): boolean => {
    const value = headers[name];
    return Buffer.isBuffer(value) && value.length <= findingMax;
  };
  return Object.fromEntries(['command-id', 'tenant-id'].filter(honest).map((name) => [name, headers[name]]));
}
