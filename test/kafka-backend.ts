import { kafkaBrokerMissing, startKafkaBroker } from '../infra/local/kafka-broker.ts';
import { namedBackend, type BackendSource, type OpenedBackend } from './lazy-backend.ts';

// Kafka 4.1, as infra/local starts it.
const image = 'confluentinc/cp-kafka:8.1.0';

/** TEST_KAFKA_BROKERS, else a container where Docker runs, else Apache Kafka on the machine's Java. */
export async function kafkaBackend(dockerRuns: () => Promise<boolean>): Promise<BackendSource> {
  const brokers = process.env.TEST_KAFKA_BROKERS ?? '';
  if (brokers !== '') return namedBackend(brokers);
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
