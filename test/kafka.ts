import { randomUUID } from 'node:crypto';
import { beforeAll, describe, inject, it } from 'vitest';

import { askBackend, firstStartMaxMs } from './lazy-backend.ts';

let brokers = '';

/**
 * `describe` with a Kafka for the suite, or one skipped test with the reason where none can be had. The run's broker
 * starts when the first of these suites asks for it.
 */
export function describeWithKafka(name: string, suite: () => void): void {
  const missing = inject('kafkaMissing');
  if (missing !== '') {
    describe(name, () => it('needs a Kafka', (context) => context.skip(missing)));
    return;
  }
  describe(name, () => {
    beforeAll(async () => {
      brokers = await askBackend(inject('kafkaDoor'));
    }, firstStartMaxMs);
    suite();
  });
}

/** For suites that start, stop and kill brokers of their own (infra/local/kafka-broker.ts). */
export function describeWithKafkaBroker(name: string, suite: () => void): void {
  const missing = inject('kafkaBrokerMissing');
  if (missing === '') describe(name, suite);
  else describe(name, () => it('needs a Kafka of its own', (context) => context.skip(missing)));
}

/** `host:port`, separated by commas: of the run's Kafka, in the hooks and tests of a `describeWithKafka`. */
export function kafkaBrokers(): string {
  if (brokers === '') throw new Error('no Kafka was asked for: this is for hooks and tests of describeWithKafka');
  return brokers;
}

/** Begins names of topics and groups that no other test has. Topics are made by the test: the broker makes none unasked. */
export function freshTopicPrefix(): string {
  return `test-${randomUUID()}.`;
}
