import { kafkaBrokerMissing, startKafkaBroker } from '../infra/local/kafka-broker.ts';
import type { OpenedBackend } from './lazy-backend.ts';

export type KafkaBackend = {
  /** Why there is none; null: `open` gives one. */
  readonly missing: string | null;
  readonly open: () => Promise<OpenedBackend>;
};

// Kafka 4.1, as infra/local starts it.
const image = 'confluentinc/cp-kafka:8.1.0';

/** TEST_KAFKA_BROKERS, else a container where Docker runs, else Apache Kafka on the machine's Java. */
export async function kafkaBackend(dockerRuns: () => Promise<boolean>): Promise<KafkaBackend> {
  const brokers = process.env.TEST_KAFKA_BROKERS ?? '';
  if (brokers !== '') {
    const close = (): Promise<void> => Promise.resolve();
    return { missing: null, open: () => Promise.resolve({ address: brokers, close }) };
  }
  if (await dockerRuns()) return { missing: null, open: inContainer };
  const missing = await kafkaBrokerMissing();
  return { missing: missing === null ? null : `${missing}; or set TEST_KAFKA_BROKERS`, open: onJava };
}

async function onJava(): Promise<OpenedBackend> {
  const broker = await startKafkaBroker({ say: (line) => console.log(`tests: ${line}`) });
  return { address: broker.brokers, close: () => broker.stop() };
}

async function inContainer(): Promise<OpenedBackend> {
  const { KafkaContainer } = await import('@testcontainers/kafka');
  // As infra/local starts it: a misspelled topic is an error there too.
  const container = await new KafkaContainer(image)
    .withKraft()
    .withEnvironment({ KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false' })
    .start();
  const address = `${container.getHost()}:${container.getMappedPort(9093)}`;
  const close = async (): Promise<void> => {
    await container.stop();
  };
  return { address, close };
}
