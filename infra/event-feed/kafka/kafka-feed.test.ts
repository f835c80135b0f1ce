import { expect, it, vi } from 'vitest';

import { describeWithKafka } from '../../../test/kafka.ts';
import { appended, eventsOf } from '../../event-store/contract/examples.ts';
import { openMemoryEventStore } from '../../event-store/memory/memory-event-store.ts';
import { consume, soon } from '../contract/consume.ts';
import { freshTopics, silent, startRelay } from '../contract/on-kafka.ts';
import type { Checkpoint } from '../port.ts';
import { openKafkaFeed } from './kafka-feed.ts';

describeWithKafka('a feed on Kafka', () => {
  it('counts what lies after checkpoints, over all partitions, also of a topic that was emptied', async () => {
    const [store, topics] = [openMemoryEventStore(), freshTopics()];
    await topics.make();
    const relay = startRelay(store, topics);
    const feed = openKafkaFeed({ ...topics, store, log: silent });
    const consumer = consume(feed);
    for (let order = 0; order < 10; order += 1) await appended(store, { events: eventsOf(3) });
    await vi.waitFor(() => expect(consumer.events()).toHaveLength(30), soon);
    await consumer.stop();
    const places = new Map(consumer.batches.map(({ partition, checkpoint }) => [partition, checkpoint]));
    const checkpoints = [...places].map(([partition, position]) => ({ partition, position }));
    expect(await feed.behind(['order'], [])).toBe(30);
    expect(await feed.behind(['order', 'stock'], checkpoints)).toBe(0);
    await appended(store, { events: eventsOf(4) });
    await vi.waitFor(async () => expect(await feed.behind(['order'], checkpoints)).toBe(4), soon);
    const beyond = checkpoints.map((each) => ({ ...each, position: '@999.00000000' as Checkpoint }));
    expect(await feed.behind(['order'], beyond)).toBe(34);
    expect([feed.has(['order', 'stock']), feed.has(['order', 'fulfillment'])]).toEqual([true, false]);
    await Promise.all([feed.close(), relay.stop(), topics.remove()]);
  });

  it('says whose events it has not', async () => {
    const feed = openKafkaFeed({ ...freshTopics(), store: openMemoryEventStore(), log: silent });
    await expect(consume(feed, { categories: ['fulfillment'] }).ended).rejects.toThrow('follow the log');
  });
});
