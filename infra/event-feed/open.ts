import type { EventStore } from '../event-store/port.ts';
import { parseKafkaUrl } from '../kafka/kafka-url.ts';
import { openKafkaFeed, type KafkaFeedOptions } from './kafka/kafka-feed.ts';
import { openLogFeed, type LogFeedOptions } from './log/log-feed.ts';
import type { EventFeed, PublishedFeed } from './port.ts';

/** The store's own log: every event there is, in one order. */
export function openEventFeed(store: EventStore, options: LogFeedOptions = {}): EventFeed {
  return openLogFeed(store, options);
}

export type OpenPublishedFeedOptions = Omit<KafkaFeedOptions, 'address'> & {
  /** FEED_URL. */
  readonly url: string;
};

/**
 * Events as the relay publishes them.
 * @throws Error for a URL that is none of a feed: configuration is wrong, so the start fails
 */
export function openPublishedFeed({ url, ...options }: OpenPublishedFeedOptions): PublishedFeed {
  if (!url.startsWith('kafka://')) throw new Error('FEED_URL must be left out, or start with kafka://');
  return openKafkaFeed({ ...options, address: parseKafkaUrl(url) });
}
