import type { Config } from '../../infra/config/config.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { parseKafkaUrl } from '../../infra/kafka/kafka-url.ts';
import { openKafkaProducer } from '../../infra/kafka/producer.ts';
import type { ProcessContext } from '../../infra/process/open-process.ts';
import { openSchemas } from '../../infra/schema-registry/open.ts';
import { openTopics } from '../../infra/topics/open.ts';
import { allEventWriters } from '../../schemas/event-writers.ts';
import type { RelayWiring } from './wire.ts';

type Context = { readonly config: Pick<Config, 'feedUrl' | 'schemaRegistryUrl'> } & Pick<ProcessContext, 'log'>;

/**
 * The Kafka that FEED_URL names: what the relay fills and everybody else reads. Nothing is connected before it is used.
 * @throws OperationalFailure INVALID_CONFIGURATION where there is none
 */
export function openRelayTarget(
  { config, log }: Context,
  opening: AsyncDisposableStack,
): Pick<RelayWiring, 'producer' | 'topics' | 'schemas'> {
  const { feedUrl, schemaRegistryUrl } = config;
  if (feedUrl === null) {
    const detail = 'FEED_URL must name the Kafka to publish to, as kafka://host:9092';
    throw new OperationalFailure('INVALID_CONFIGURATION', detail, { retryable: false });
  }
  const producer = openKafkaProducer({ address: parseKafkaUrl(feedUrl), clientId: 'order-center event-relay', log });
  opening.defer(() => producer.close());
  const schemas = openSchemas(schemaRegistryUrl);
  const published = allEventWriters.filter(({ row }) => row.category !== 'fulfillment');
  return { producer, topics: openTopics(feedUrl, log), schemas: () => schemas.register(published) };
}
