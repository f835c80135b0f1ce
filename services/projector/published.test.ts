import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { publish, silent } from '../../infra/event-feed/contract/on-kafka.ts';
import { openKafkaProducer } from '../../infra/kafka/producer.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderStream, type OrderId } from '../../schemas/ids.ts';
import { describeWithKafka } from '../../test/kafka.ts';
import { describeWithPostgres } from '../../test/postgres.ts';
import { orderIds, payAll, placeAll, shipAll } from './test-snapshot-world.ts';
import { openPublishedWorld, type PublishedWorld } from './test-published-world.ts';

const soon = { timeout: 15_000, interval: 20 };

describeWithPostgres('published events and views in Postgres', () => {
  describeWithKafka('projectors on Kafka', () => {
    let world: PublishedWorld;
    beforeEach(async () => {
      world = await openPublishedWorld();
    });
    afterEach(() => world.close());
    const ids = (count: number): readonly OrderId[] => orderIds(randomUUID(), count);

    const placesOf = async (): Promise<ReadonlyMap<string, string>> =>
      new Map((await world.readStore.checkpoints()).map(({ partition, position }) => [partition, position]));

    const publishAll = async (orders: readonly OrderId[], skip = 0): Promise<void> => {
      const producer = openKafkaProducer({ address: world.topics.address, clientId: 'test', log: silent });
      for (const order of orders) {
        const events = (await world.store.readStream({ stream: orderStream(order) })).slice(skip);
        await publish(producer, { events, epoch: world.store.epoch, topics: world.topics.topics });
      }
      await producer.close();
    };

    it('share the orders: each has some of them, and the view is the fold', async () => {
      const projectors = [world.start(), world.start(), world.start()];
      const orders = ids(60);
      const work = (each: (typeof projectors)[number]) => new Set(each.batches.map(({ partition }) => partition));
      await placeAll(world.store, orders);
      await payAll(world.store, orders);
      // Until each has its part: they joined one after the other.
      await vi.waitFor(async () => {
        const more = ids(12);
        orders.concat(more);
        await placeAll(world.store, more);
        expect(projectors.map((each) => work(each).size > 0)).toEqual([true, true, true]);
      }, soon);
      await shipAll(world.store, orders);
      await world.equalsFold(orders);
      expect(projectors.flatMap(({ failures }) => failures)).toEqual([]);
    });
  });
});
