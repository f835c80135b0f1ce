import type { Logger } from 'pino';
import { openKafkaClient } from './client.ts';
import { kafkaFailure } from './failure.ts';
import type { KafkaAddress } from './kafka-url.ts';
import { offsetsOf } from './partitions.ts';
import type { AssignedPartition } from './port.ts';

const requestTimeoutMs = 2_000;

/** Where topics begin and end, for whoever does not consume them: lag, and checks. */
export type TopicEnds = {
  /**
   * By the partition's name, `<topic>/<number>`.
   * @throws OperationalFailure KAFKA_UNAVAILABLE (retryable)
   */
  of(topics: readonly string[]): Promise<ReadonlyMap<string, AssignedPartition>>;
  close(): Promise<void>;
};

/** Connects when it is first asked, and anew after a failure. */
export function openTopicEnds(options: {
  readonly address: KafkaAddress;
  readonly clientId: string;
  readonly log: Logger;
}): TopicEnds {
  const connect = () => {
    const client = openKafkaClient({ ...options, requestTimeoutMs });
    const admin = client.kafka.admin();
    return { admin, connecting: admin.connect(), end: () => client.close(() => admin.disconnect()) };
  };
  let connected: ReturnType<typeof connect> | null = null;
  const close = async (): Promise<void> => {
    const last = connected;
    connected = null;
    await last?.end();
  };
  return {
    of: async (topics) => {
      connected ??= connect();
      const { admin, connecting } = connected;
      try {
        await connecting;
        return await offsetsOf(admin, topics);
      } catch (error) {
        void close();
        throw kafkaFailure(error, 'the offsets of topics');
      }
    },
    close,
  };
}
