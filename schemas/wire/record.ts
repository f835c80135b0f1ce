import { isUtf8 } from 'node:buffer';

/** A record as it is produced: what any Kafka client takes. */
export type WireRecord<Topic extends string = string> = {
  readonly topic: Topic;
  readonly key: string;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
};

type HeaderValue = Buffer | string | readonly (Buffer | string)[] | undefined;

/** A record as a Kafka client gives it: nothing about it is trusted. */
export type ReceivedRecord = {
  readonly key: Buffer | string | null;
  readonly value: Buffer | null;
  readonly headers?: Readonly<Record<string, HeaderValue>> | undefined;
};

/** The text of a header; null: it is not there; undefined: it is there more than once, or is no UTF-8. */
export function headerText(record: ReceivedRecord, name: string): string | null | undefined {
  const { headers } = record;
  if (headers === undefined || !Object.hasOwn(headers, name)) return null;
  const value = headers[name];
  if (value === undefined) return null;
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? textOf(value) : undefined;
}

/** null: the record has none; undefined: it is no UTF-8. */
export function keyText({ key }: ReceivedRecord): string | null | undefined {
  if (key === null || key.length === 0) return null;
  return typeof key === 'string' ? key : textOf(key);
}

function textOf(bytes: Buffer): string | undefined {
  return isUtf8(bytes) ? bytes.toString('utf8') : undefined;
}
