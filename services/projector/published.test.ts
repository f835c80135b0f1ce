import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { publish, silent } from '../../infra/event-feed/contract/on-kafka.ts';
import { openKafkaProducer } from '../../infra/kafka/producer.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderStream, type OrderId } from '../../schemas/ids.ts';
import { sayFault, secondsSince } from '../../test/fault-line.ts';
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

    const publishAll = async (orders: readonly OrderId[], from = 0, to?: number): Promise<void> => {
      const producer = openKafkaProducer({ address: world.topics.address, clientId: 'test', log: silent });
      for (const order of orders) {
        const events = (await world.store.readStream({ stream: orderStream(order) })).slice(from, to);
        await publish(producer, { events, epoch: world.store.epoch, topics: world.topics.topics });
      }
      await producer.close();
    };

    it('share the orders: each has some of them, and the view is the fold', async () => {
      const projectors = [world.start(), world.start(), world.start()];
      const orders = [...ids(60)];
      await placeAll(world.store, orders);
      await payAll(world.store, orders);
      // They joined one after the other: until each has its part.
      await vi.waitFor(async () => {
        const more = ids(12);
        orders.push(...more);
        await placeAll(world.store, more);
        expect(projectors.filter(({ batches }) => batches.length > 0)).toHaveLength(3);
      }, soon);
      await shipAll(world.store, orders);
      await world.equalsFold(orders);
      expect(projectors.flatMap(({ failures }) => failures)).toEqual([]);
    });

    it('go on from their own checkpoints, whatever the group of Kafka says', async () => {
      const [first, second] = [ids(20), ids(20)];
      const before = world.start();
      await placeAll(world.store, first);
      await world.equalsFold(first);
      await before.stop();
      // A view that is emptied is read anew, although the group has committed all of it.
      await world.readStore.clear(orderSummary.view);
      await placeAll(world.store, second);
      const after = world.start();
      await world.equalsFold([...first, ...second]);
      expect(after.batches.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(0);
      await after.stop();
      const again = world.start();
      await payAll(world.store, first);
      await world.equalsFold([...first, ...second]);
      expect(again.batches.reduce((sum, { duplicates }) => sum + duplicates, 0)).toBe(0);
    });

    it('fill a gap from the store, and skip what comes twice', async () => {
      const orders = ids(5);
      await world.relay.stop();
      await placeAll(world.store, orders);
      await payAll(world.store, orders);
      // The first event of each is in no topic, the second one twice.
      await publishAll(orders, 1);
      await publishAll(orders, 1);
      const projector = world.start();
      await world.equalsFold(orders);
      const sum = (of: 'healed' | 'duplicates') => projector.batches.reduce((total, batch) => total + batch[of], 0);
      await vi.waitFor(() => expect(sum('duplicates')).toBe(5), soon);
      expect(sum('healed')).toBe(5);
      world.relay.start();
    });

    it('pass over what is no event, tell it, and wait for nobody', async () => {
      const orders = ids(5);
      const projector = world.start();
      await placeAll(world.store, orders);
      await world.equalsFold(orders);
      // A topic that was just made may have no leader yet, and its consumer begins again.
      const failuresBefore = [...projector.failures];
      const producer = openKafkaProducer({ address: world.topics.address, clientId: 'test', log: silent });
      const topic = world.topics.topics.order;
      const foreign = await world.store.readStream({ stream: orderStream(orders[0] as OrderId) });
      await producer.send(orders.map((key) => ({ topic, key, value: Buffer.from('{"not":"avro"}') })));
      await producer.send(orders.map((key) => ({ topic, key, value: null })));
      await publish(producer, { events: foreign, epoch: randomUUID(), topics: world.topics.topics });
      await producer.close();
      await payAll(world.store, orders);
      await world.equalsFold(orders);
      const counts = new Map<string, number>();
      for (const { code, records } of projector.passedOver) counts.set(code, (counts.get(code) ?? 0) + records);
      expect(counts).toEqual(new Map([['HEADER_MISSING', 10], ['FOREIGN_EPOCH', 1]])); // prettier-ignore
      expect(projector.failures).toEqual(failuresBefore);
    });

    it('heal where the topic was emptied and filled anew, while they run', async () => {
      const orders = ids(30);
      const projectors = [world.start(), world.start()];
      await placeAll(world.store, orders);
      await world.equalsFold(orders);
      const startedAt = performance.now();
      await world.relay.stop();
      await world.topics.remove();
      await payAll(world.store, orders);
      await world.topics.make();
      world.relay.start();
      await shipAll(world.store, orders);
      await world.equalsFold(orders, 40_000);
      const dup = projectors.flatMap(({ batches }) => batches).reduce((sum, { duplicates }) => sum + duplicates, 0);
      sayFault('topic-emptied', {
        ops: 120,
        lost: 0,
        dup,
        t_consistent_after_heal: secondsSince(startedAt),
        mismatch: 0,
      });
    });

    it('heal where the topic was filled anew with more than before, while none of them ran', async () => {
      const orders = ids(30);
      const before = world.start();
      await placeAll(world.store, orders);
      await world.equalsFold(orders);
      await before.stop();
      const places = await placesOf();
      await world.relay.stop();
      await world.topics.remove();
      await world.topics.make();
      // Every partition is longer than its checkpoint, and what is new stands before it.
      const paid = orders.slice(0, 15);
      await payAll(world.store, paid);
      await publishAll(paid);
      for (let round = 0; round < 3; round += 1) await publishAll(orders, 0, 1);
      const after = world.start();
      await world.equalsFold(orders);
      expect([...(await placesOf())].filter(([partition, position]) => places.get(partition) === position)).toEqual([]);
      await after.stop();
      world.relay.start();
    });

    it('get on while members join and leave all the time', async () => {
      const orders = ids(40);
      const startedAt = performance.now();
      await placeAll(world.store, orders);
      const steady = world.start();
      let rebalances = 0;
      for (const change of [payAll, shipAll]) {
        for (let at = 0; at < orders.length; at += 14) {
          const guest = world.start();
          await change(world.store, orders.slice(at, at + 14));
          await world.equalsFold(orders.slice(at, at + 14));
          await guest.stop();
          rebalances += 2;
        }
      }
      await world.equalsFold(orders);
      const refused = steady.failures.filter((failure) => failure.startsWith('CHECKPOINT_MOVED')).length;
      sayFault('rebalance-storm', { ops: 160, lost: 0, rebalances, refused, t: secondsSince(startedAt), mismatch: 0 });
    });
  });
});
