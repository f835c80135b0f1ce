import type { KafkaMessage, Message } from 'kafkajs';
import type { IncomingRecord, OutgoingRecord, TopicPartition } from './port.ts';

/** The framing of a record and of a header, roughly. */
const recordOverheadBytes = 24;
const headerOverheadBytes = 4;

export function incoming({ topic, partition }: TopicPartition, message: KafkaMessage): IncomingRecord {
  const { key, value, headers } = message;
  const [offset, timestampMs] = [Number(message.offset), Number(message.timestamp)];
  return { topic, partition, offset, timestampMs, key, value, headers };
}

export function outgoing({ key, value, headers }: OutgoingRecord): Message {
  // The driver's type is the same but for readonly.
  return { key, value, ...(headers && { headers: headers as NonNullable<Message['headers']> }) };
}

export function bytesOf({ key, value, headers = {} }: OutgoingRecord): number {
  let bytes = recordOverheadBytes + (key?.length ?? 0) + (value?.length ?? 0);
  // Asked of every record: no lists are made on the way.
  for (const name in headers) {
    const content = headers[name] ?? '';
    if (typeof content === 'string' || Buffer.isBuffer(content)) bytes += headerBytesOf(name, content);
    else for (const each of content as readonly (Buffer | string)[]) bytes += headerBytesOf(name, each);
  }
  return bytes;
}

function headerBytesOf(name: string, content: Buffer | string): number {
  return headerOverheadBytes + name.length + content.length;
}
