import type { KafkaMessage } from 'kafkajs';
import type { IncomingRecord, TopicPartition } from './port.ts';

export function incoming({ topic, partition }: TopicPartition, message: KafkaMessage): IncomingRecord {
  return {
    topic,
    partition,
    offset: Number(message.offset),
    timestampMs: Number(message.timestamp),
    key: message.key,
    value: message.value,
    headers: headersOf(message.headers ?? {}),
  };
}

function headersOf(headers: NonNullable<KafkaMessage['headers']>): ReadonlyMap<string, Buffer> {
  const read = new Map<string, Buffer>();
  for (const [name, content] of Object.entries(headers)) {
    const last = Array.isArray(content) ? content.at(-1) : content;
    if (last !== undefined) read.set(name, typeof last === 'string' ? Buffer.from(last) : last);
  }
  return read;
}
