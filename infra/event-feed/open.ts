import type { Logger } from 'pino';
import type { EventStore } from '../event-store/port.ts';
import { parseKafkaUrl } from '../kafka/kafka-url.ts';
import { openKafkaFeed, type KafkaFeedOptions } from './kafka/kafka-feed.ts';
import { openLogFeed, type LogFeedOptions } from './log/log-feed.ts';
import type { EventFeed } from './port.ts';

export type OpenEventFeedOptions = LogFeedOptions &
  Pick<KafkaFeedOptions, 'schemas' | 'onPassedOver'> & {
    /** FEED_URL; absent: the event store's own log. */
    readonly url?: string | undefined;
    /** For Kafka. */
    readonly log?: Logger;
  };

/** @throws Error for a URL that is none of a feed: configuration is wrong, so the start fails */
export function openEventFeed(store: EventStore, options: OpenEventFeedOptions = {}): EventFeed {
  const { url, log } = options;
  if (url === undefined || url === '') return openLogFeed(store, options);
  if (!url.startsWith('kafka://')) throw new Error('FEED_URL must be left out, or start with kafka://');
  if (log === undefined) throw new Error('a feed on Kafka needs a log');
  return openKafkaFeed({ ...options, log, store, address: parseKafkaUrl(url) });
}
