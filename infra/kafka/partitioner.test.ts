import fc from 'fast-check';
import { Partitioners, type PartitionMetadata } from 'kafkajs';
import { expect, it } from 'vitest';
import { javaPartitioner } from './partitioner.ts';

const partitionsOf = (count: number): PartitionMetadata[] =>
  Array.from({ length: count }, (_, partitionId) => ({
    ...{ partitionErrorCode: 0, partitionId, leader: 1, replicas: [1], isr: [1] },
  }));

it('puts every key where the driver puts it, and so where Java does', () => {
  const [ours, drivers] = [javaPartitioner(), Partitioners.DefaultPartitioner()];
  const keys = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array().map(Buffer.from));
  fc.assert(
    fc.property(keys, fc.integer({ min: 1, max: 100 }), (key, count) => {
      const args = { topic: 'topic', partitionMetadata: partitionsOf(count), message: { key, value: null } };
      expect(ours(args)).toBe(drivers(args));
    }),
    { numRuns: 1_000 },
  );
});

it('puts records without a key into all partitions in turn', () => {
  const partitioner = javaPartitioner();
  const args = { topic: 'topic', partitionMetadata: partitionsOf(3), message: { key: null, value: null } };
  expect([0, 1, 2, 3, 4, 5].map(() => partitioner(args))).toEqual([0, 1, 2, 0, 1, 2]);
});
