import type { Logger } from 'pino';
import { parseKafkaUrl } from '../kafka/kafka-url.ts';
import { openKafkaTopics } from './kafka/kafka-topics.ts';
import type { Topics } from './port.ts';

/**
 * @param url `kafka://…`
 * @throws Error for any other URL: configuration is wrong
 */
export function openTopics(url: string, log: Logger): Topics {
  return openKafkaTopics({ address: parseKafkaUrl(url), clientId: 'order-center-topics', log });
}
