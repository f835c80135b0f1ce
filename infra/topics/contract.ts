import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyTopics, diffTopics } from './apply.ts';
import type { TopicSettings, Topics } from './port.ts';

export type TopicsWorld = {
  readonly topics: Topics;
  /** Puts one record into a topic. */
  readonly write: (name: string) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** What every adapter of Topics keeps. */
export function topicsContract(name: string, open: () => Promise<TopicsWorld>): void {
  describe(`topics: ${name}`, () => {
    let world: TopicsWorld;
    beforeAll(async () => {
      world = await open();
    });
    afterAll(() => world.close());

    const fresh = (over: Partial<TopicSettings> = {}): TopicSettings => ({
      name: `test-${randomUUID()}.events`,
      partitions: 3,
      replication: 3,
      config: { 'cleanup.policy': 'delete', 'retention.ms': '-1' },
      ...over,
    });

    it('makes what is missing, with as many copies as there are brokers, and a second time does nothing', async () => {
      const list = [fresh(), fresh({ partitions: 1 })];
      expect(await diffTopics(world.topics, list)).toMatchObject(
        list.map(({ name: topic }) => ({ topic, difference: 'does not exist' })),
      );
      const { done, left } = await applyTopics(world.topics, list);
      expect(done.map(({ topic }) => topic)).toEqual(list.map(({ name: topic }) => topic));
      expect(left).toEqual([]);
      expect(await diffTopics(world.topics, list)).toEqual([]);
      expect(await applyTopics(world.topics, list)).toEqual({ done: [], left: [] });
    });

    it('sets a setting that differs, and leaves the others', async () => {
      const topic = fresh({
        config: { 'cleanup.policy': 'delete', 'retention.ms': '1000', 'segment.bytes': '2097152' },
      });
      await applyTopics(world.topics, [topic]);
      const wanted = { ...topic, config: { 'cleanup.policy': 'delete', 'retention.ms': '-1' } };
      const [difference] = await diffTopics(world.topics, [wanted]);
      expect(difference?.difference).toBe('retention.ms is 1000, not -1');
      await applyTopics(world.topics, [wanted]);
      expect(await diffTopics(world.topics, [wanted])).toEqual([]);
      const [found] = await world.topics.find([topic.name], ['segment.bytes']);
      expect(found?.config).toEqual({ 'segment.bytes': '2097152' });
    });

    it('gives more partitions to a topic without records, and to no other', async () => {
      const empty = fresh();
      const written = fresh();
      await applyTopics(world.topics, [empty, written]);
      await world.write(written.name);
      const more = [empty, written].map((topic) => ({ ...topic, partitions: 5 }));
      const { done, left } = await applyTopics(world.topics, more);
      expect(done.map(({ topic }) => topic)).toEqual([empty.name]);
      expect(left).toMatchObject([{ topic: written.name, step: null }]);
      expect(await diffTopics(world.topics, more)).toMatchObject([{ topic: written.name }]);
    });

    it('never takes partitions away', async () => {
      const topic = fresh();
      await applyTopics(world.topics, [topic]);
      const { done, left } = await applyTopics(world.topics, [{ ...topic, partitions: 1 }]);
      expect(done).toEqual([]);
      expect(left).toMatchObject([{ difference: 'has 3 partitions, not 1: a topic never shrinks' }]);
    });

    it('tells where partitions end', async () => {
      const topic = fresh();
      await applyTopics(world.topics, [topic]);
      await world.write(topic.name);
      const ends = await world.topics.endOffsets([topic.name, 'no-such-topic']);
      expect([...ends.keys()]).toEqual([topic.name]);
      expect([...(ends.get(topic.name)?.values() ?? [])].toSorted((a, b) => a - b)).toEqual([0, 0, 1]);
    });
  });
}
