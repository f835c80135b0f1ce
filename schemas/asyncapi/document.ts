import { apiDescription } from '../api-description.ts';
import { headerSchemas } from './headers.ts';
import { messages, type Message } from './messages.ts';

/** A topic as whoever makes it knows it. */
export type DescribedTopic = {
  readonly name: string;
  readonly partitions: number;
  readonly replication: number;
  readonly config: Readonly<Record<string, string>>;
};

const avroFormat = 'application/vnd.apache.avro;version=1.9.0';

/** What each topic is for, whether we read or write it, and what its key is. */
const channels = {
  'order.commands': {
    id: 'orderCommands',
    action: 'receive',
    summary: 'What upstream systems ask for',
    key: 'The order’s id; of a placement uuidv5(uuidv5(NAMESPACE, tenant), command-id): docs/ids.md.',
  },
  'order.command-outcomes': {
    id: 'orderCommandOutcomes',
    action: 'send',
    summary: 'What became of each command, at least once, always the same',
    key: 'The order’s id.',
  },
  'order.events': {
    id: 'orderEvents',
    action: 'send',
    summary: 'What happened to orders, each order’s events in order',
    key: 'The order’s id.',
  },
  'stock.events': {
    id: 'stockEvents',
    action: 'send',
    summary: 'What happened to stock, each SKU’s events in order',
    key: 'tenant~sku.',
  },
} as const;

type Topic = keyof typeof channels;
const topicNames = Object.keys(channels) as readonly Topic[];

/** The AsyncAPI 3.0 document, from the schemas: payloads are the .avsc files as they are released. */
export function asyncApiDocument(topics: readonly DescribedTopic[]): object {
  return {
    asyncapi: '3.0.0',
    info: {
      title: `${apiDescription.title} on Kafka`,
      version: apiDescription.version,
      description:
        'Values are Avro: behind C3 01 and the CRC-64-AVRO of their schema (single-object encoding), or, with a schema ' +
        'registry, behind 00 and its id (Confluent wire format). Partitions are chosen by murmur2 of the key, as Java’s ' +
        'clients do. Delivery is at least once. docs/publishing-commands.md has examples.',
      license: { name: 'UNLICENSED', url: 'https://spdx.org/licenses/' },
      tags: [{ name: 'orders', description: 'Commands, their outcomes, and events.' }],
    },
    defaultContentType: 'application/avro',
    servers: { kafka: { host: 'localhost:9092', protocol: 'kafka', description: 'As FEED_URL names it.' } },
    channels: Object.fromEntries(topicNames.map((topic) => [channels[topic].id, channelOf(topic, topics)])),
    operations: Object.fromEntries(topicNames.map((topic) => [`${channels[topic].action}${capital(topic)}`, operationOf(topic)])), // prettier-ignore
    components: {
      messages: Object.fromEntries(messages.map((message) => [message.name, messageOf(message)])),
      schemas: headerSchemas,
      securitySchemes: {
        sasl: {
          type: 'scramSha512',
          description: 'As FEED_URL says: user, password and tls. A Kafka on loopback asks for none.',
        },
      },
    },
  };
}

function capital(topic: Topic): string {
  const { id } = channels[topic];
  return id.charAt(0).toUpperCase() + id.slice(1);
}

function channelOf(topic: Topic, topics: readonly DescribedTopic[]): object {
  const { summary } = channels[topic];
  const made = topics.find(({ name }) => name === topic);
  const ofChannel = messages.filter((message) => message.topic === topic);
  return {
    address: topic,
    summary,
    servers: [{ $ref: '#/servers/kafka' }],
    messages: Object.fromEntries(ofChannel.map(({ name }) => [name, { $ref: `#/components/messages/${name}` }])),
    ...(made && { bindings: { kafka: kafkaBinding(made) } }),
  };
}

function kafkaBinding({ name, partitions, replication, config }: DescribedTopic): object {
  return {
    topic: name,
    partitions,
    replicas: replication,
    topicConfiguration: {
      'cleanup.policy': [config['cleanup.policy']],
      'retention.ms': Number(config['retention.ms']),
    },
    bindingVersion: '0.5.0',
  };
}

function operationOf(topic: Topic): object {
  const { action, id, summary } = channels[topic];
  const channel = `#/channels/${id}`;
  const ofChannel = messages.filter((message) => message.topic === topic);
  return {
    action,
    summary,
    security: [{ $ref: '#/components/securitySchemes/sasl' }],
    channel: { $ref: channel },
    messages: ofChannel.map(({ name }) => ({ $ref: `${channel}/messages/${name}` })),
    ...(topic === 'order.commands' && {
      reply: {
        channel: { $ref: `#/channels/${channels['order.command-outcomes'].id}` },
        messages: [{ $ref: `#/channels/${channels['order.command-outcomes'].id}/messages/CommandOutcome` }],
      },
    }),
  };
}

function messageOf({ name, topic, summary, schema, headers, example }: Message): object {
  const key = { type: 'string', description: channels[topic as Topic].key };
  return {
    name,
    title: name,
    summary,
    contentType: 'application/avro',
    headers: { $ref: `#/components/schemas/${headers}` },
    payload: { schemaFormat: avroFormat, schema },
    bindings: { kafka: { key, bindingVersion: '0.5.0' } },
    examples: [{ name: 'one', summary: 'Its fields, as JSON shows them.', payload: example }],
  };
}
