import { consumeKafka } from '../../../infra/kafka/consumer.ts';
import { parseKafkaUrl } from '../../../infra/kafka/kafka-url.ts';
import type { PartitionLag } from '../../../infra/kafka/port.ts';
import { openKafkaProducer } from '../../../infra/kafka/producer.ts';
import type { Part } from '../../../infra/process/part.ts';
import type { ProcessContext } from '../../../infra/process/open-process.ts';
import type { RecordSchemas } from '../../../infra/schema-registry/port.ts';
import { openSchemas } from '../../../infra/schema-registry/open.ts';
import { openBodyCheck } from '../../../infra/http-server/body-rules.ts';
import {
  amendOrderSchema,
  backfillOrderSchema,
  cancelOrderSchema,
  factSchemas,
  placeOrderSchema,
} from '../http/order-schemas.ts';
import type { OrderCommands } from '../open.ts';
import { openIntake, type IntakeNames } from './intake.ts';
import { defaultLimits, type IntakeLimits } from './limits.ts';
import { intakeMetrics } from './observe-metrics.ts';
import { openCommandSchemas } from './schemas.ts';

export type KafkaDoorOptions = Pick<ProcessContext, 'metrics' | 'log'> & {
  /** kafka://… */
  readonly url: string;
  readonly commands: OrderCommands;
  readonly schemas: RecordSchemas;
  readonly limits?: Partial<IntakeLimits>;
  readonly names?: IntakeNames;
};

/** The door on the Kafka that FEED_URL names, with the registry of SCHEMA_REGISTRY_URL; null: there is none. */
export async function openConfiguredKafkaDoor(
  { config, ...context }: ProcessContext & Pick<KafkaDoorOptions, 'commands'>,
  opening: AsyncDisposableStack,
): Promise<Part | null> {
  const { feedUrl: url, schemaRegistryUrl } = config;
  return url === null ? null : openKafkaDoor({ ...context, url, schemas: openSchemas(schemaRegistryUrl) }, opening);
}

/**
 * The door for commands on Kafka. It is no part of the readiness: while there is no broker, HTTP takes commands as ever,
 * and what waits in the topic is answered later.
 */
export async function openKafkaDoor(options: KafkaDoorOptions, opening: AsyncDisposableStack): Promise<Part> {
  const { url, commands, metrics, log } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const schemas = openCommandSchemas(options.schemas, limits.pendingMax);
  const address = parseKafkaUrl(url);
  const check = await openBodyCheck([
    ...factSchemas,
    placeOrderSchema,
    backfillOrderSchema,
    amendOrderSchema,
    cancelOrderSchema,
  ]);
  const producer = openKafkaProducer({ address, clientId: 'order-center outcomes', log });
  opening.defer(() => producer.close());
  let askLag: (() => readonly PartitionLag[]) | null = null;
  const onLag = (ask: typeof askLag): void => void (askLag = ask);
  const consumer = { address, clientId: 'order-center commands', log, onLag };
  const { observe, onFailure, onRestart, watch } = intakeMetrics({ metrics, log });
  const intake = openIntake({
    ...{ commands, check, producer, schemas, limits, observe, onFailure, onRestart },
    ...(options.names === undefined ? {} : { names: options.names }),
    consume: (consumption) => consumeKafka(consumer, consumption),
  });
  watch(() => ({ ...intake.status(), unread: unreadOf(askLag?.() ?? []) }));
  return { routes: [], readiness: [], run: (signal) => intake.run(signal) };
}

function unreadOf(partitions: readonly PartitionLag[]): number | null {
  return partitions.length === 0 ? null : partitions.reduce((sum, { records }) => sum + records, 0);
}
