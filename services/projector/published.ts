import type { Logger } from 'pino';
import type { Config } from '../../infra/config/config.ts';
import { openSchemas } from '../../infra/schema-registry/open.ts';
import { openPublishedFeed } from '../../infra/event-feed/open.ts';
import type { PublishedFeed } from '../../infra/event-feed/port.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import type { Metrics } from '../../infra/metrics/open.ts';

export type Published = {
  readonly config: Pick<Config, 'feedUrl' | 'schemaRegistryUrl'>;
  readonly store: EventStore;
  readonly metrics: Pick<Metrics, 'count'>;
  readonly log: Logger;
};

/** FEED_URL's feed, closed by `opening`; null: there is none. */
export function openPublished(
  { config, store, metrics, log }: Published,
  opening: AsyncDisposableStack,
): PublishedFeed | null {
  if (config.feedUrl === null) return null;
  const feed = openPublishedFeed({
    url: config.feedUrl,
    store,
    log,
    schemas: openSchemas(config.schemaRegistryUrl),
    onPassedOver: (_, { code, records }) => metrics.count('feed_records_passed_over_total', code, records),
  });
  opening.defer(() => feed.close());
  return feed;
}
