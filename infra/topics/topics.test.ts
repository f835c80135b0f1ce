import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { describeWithKafka, kafkaBrokers } from '../../test/kafka.ts';
import { openKafkaProducer } from '../kafka/producer.ts';
import { parseKafkaUrl } from '../kafka/kafka-url.ts';
import { topicsContract } from './contract.ts';
import { openKafkaTopics } from './kafka/kafka-topics.ts';
import { memoryTopics } from './memory/memory-topics.ts';
import { fitTo, planTopics } from './plan.ts';
import { topicList } from './topic-list.ts';

const log = pino({ level: 'silent' });

topicsContract('memory', () => {
  const topics = memoryTopics();
  return Promise.resolve({
    topics,
    write: (name) => {
      topics.write(name, 1);
      return Promise.resolve();
    },
    close: () => Promise.resolve(),
  });
});

describeWithKafka('on a real Kafka', () => {
  topicsContract('kafka', () => {
    const client = { address: parseKafkaUrl(`kafka://${kafkaBrokers()}`), clientId: 'topics-test', log };
    const topics = openKafkaTopics(client);
    const producer = openKafkaProducer(client);
    return Promise.resolve({
      topics,
      write: (topic) => producer.send([{ topic, key: 'a', value: Buffer.from('x') }]),
      close: () => producer.close(),
    });
  });
});

describe('the list of topics', () => {
  it('is the contract’s, each with twelve partitions, three copies and an explicit retention', () => {
    const names = topicList.map(({ name }) => name);
    expect(names).toEqual([
      'order.commands',
      'order.command-outcomes',
      'order.events',
      'stock.events',
      'order.commands.dead-letter',
      'order.events.dead-letter',
      'stock.events.dead-letter',
    ]);
    for (const { name, partitions, replication, config } of topicList) {
      expect(partitions).toBe(name.endsWith('.dead-letter') ? 3 : 12);
      expect(replication).toBe(3);
      expect(config['retention.ms']).toMatch(/^(-1|\d+)$/);
    }
  });

  it('keeps events for ever and compacts nothing', () => {
    for (const { name, config } of topicList) {
      expect(config['cleanup.policy']).toBe('delete');
      if (/events$/.test(name)) expect(config['retention.ms']).toBe('-1');
    }
  });

  it.each([
    [1, 1, '1'],
    [2, 2, '1'],
    [3, 3, '2'],
    [9, 3, '2'],
  ])('on %i brokers has %i copies, of which %s must have a record', (brokers, replication, inSync) => {
    for (const topic of topicList) {
      expect(fitTo(brokers, topic)).toMatchObject({ replication, config: { 'min.insync.replicas': inSync } });
    }
  });

  it('is content with more copies than it asked for, and says where there are fewer', () => {
    const [topic] = topicList.map((each) => fitTo(3, each));
    if (topic === undefined) throw new Error('the list is empty');
    expect(planTopics([topic], [{ ...topic, replication: 5, isEmpty: false }])).toEqual([]);
    expect(planTopics([topic], [{ ...topic, replication: 1, isEmpty: false }])).toMatchObject([{ step: null }]);
  });
});
