import type { IncomingRecord, OutgoingRecord } from '../../../infra/kafka/port.ts';
import { unreadable, type Unreadable } from '../../../schemas/wire/unreadable.ts';

/** Of one record. An honest one has a handful; ten thousand of them are copied nowhere. */
export const headersMax = 64;
export const headerBytesMax = 16 * 1_024;

/** null: not more headers than anybody needs. */
export function tooManyHeaders({ headers }: IncomingRecord): Unreadable | null {
  if (headers.size > headersMax) return unreadable('HEADER_INVALID', `more than ${headersMax} headers`);
  if (headerBytes(headers) > headerBytesMax) return unreadable('HEADER_INVALID', `more than ${headerBytesMax} bytes`);
  return null;
}

/**
 * The record as it came, and why it cannot be read: sent again to the topic that it came from, it would come as it did.
 * Of more headers than the bound, those that it is found by are left.
 */
export function deadLetterOf(record: IncomingRecord, why: Unreadable): OutgoingRecord {
  const { topic, partition, offset, key, value } = record;
  const kept = tooManyHeaders(record) === null ? [...record.headers] : found(record);
  return {
    topic: `${topic}.dead-letter`,
    key,
    value,
    headers: {
      ...Object.fromEntries(kept),
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

function found({ headers }: IncomingRecord): readonly (readonly [string, Buffer])[] {
  return ['command-id', 'tenant-id'].flatMap((name) => {
    const value = headers.get(name);
    return value === undefined || value.length > findingMax ? [] : [[name, value] as const];
  });
}

function headerBytes(headers: IncomingRecord['headers']): number {
  let bytes = 0;
  for (const [name, value] of headers) bytes += name.length + value.length;
  return bytes;
}
