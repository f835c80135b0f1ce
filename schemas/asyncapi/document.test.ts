import { describe, expect, it } from 'vitest';
import { topicList } from '../../infra/topics/topic-list.ts';
import { avroWriter } from '../avro/writer.ts';
import { eventTypes, categoryOfType } from '../event-registry.ts';
import { commandSchemas } from '../generated/messages.ts';
import { eventTopics } from '../wire/event-record.ts';
import { commandTopic } from '../wire/command-record.ts';
import { outcomeTopic } from '../wire/outcome-record.ts';
import { asyncApiDocument } from './document.ts';
import { headerSchemas } from './headers.ts';
import { messages } from './messages.ts';

type Document = { readonly channels: Record<string, { readonly address: string; readonly messages: object }> };

describe('the AsyncAPI document', () => {
  const document = asyncApiDocument(topicList) as Document;

  it('has a channel for each topic that others write or read, as it is made', () => {
    const addresses = Object.values(document.channels).map(({ address }) => address);
    expect(new Set(addresses)).toEqual(new Set([commandTopic, outcomeTopic, ...Object.values(eventTopics)]));
    const wanted = topicList.map(({ name }) => name).filter((name) => !name.endsWith('.dead-letter'));
    expect(new Set(addresses)).toEqual(new Set(wanted));
    for (const channel of Object.values(document.channels)) {
      expect(channel).toMatchObject({ bindings: { kafka: { partitions: 12, replicas: 3 } } });
    }
  });

  it('has every command, the outcome, and every event that is published', () => {
    const published = eventTypes.filter((type) => categoryOfType(type) !== 'fulfillment');
    const commands = commandSchemas.map(({ type }) => type);
    expect(messages.map(({ name }) => name).toSorted()).toEqual(
      [...published, ...commands, 'CommandOutcome'].toSorted(),
    );
  });

  it.each(messages)('shows an example of $name that its schema takes, under headers that are described', (message) => {
    expect(avroWriter(message.schema).type.toBuffer(message.example).length).toBeGreaterThan(0);
    expect(Object.keys(headerSchemas)).toContain(message.headers);
  });
});
