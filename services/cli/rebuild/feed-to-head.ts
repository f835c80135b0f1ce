import type { EventFeed, FeedBatch, Subscription } from '../../../infra/event-feed/port.ts';
import type { EventStore, LogPage, Position } from '../../../infra/event-store/port.ts';

/**
 * The log as a feed that ends: at the head as it is when it is opened, so that a shop that goes on selling cannot keep a
 * rebuild busy for ever. One page is read ahead of the one that is handled.
 */
export async function openFeedToHead(
  store: Pick<EventStore, 'readLog' | 'head' | 'comparePositions'>,
): Promise<EventFeed> {
  const head = await store.head();
  const isAtHead = ({ checkpoint, atEnd }: LogPage): boolean =>
    atEnd || head === null || checkpoint === null || store.comparePositions(checkpoint, head) >= 0;
  return { run: (subscription) => deliver(store, subscription, isAtHead) };
}

async function deliver(
  store: Pick<EventStore, 'readLog'>,
  { loadCheckpoint, handle, signal, categories, batchMax }: Subscription,
  isAtHead: (page: LogPage) => boolean,
): Promise<void> {
  const read = (after: Position | null): Promise<LogPage> => store.readLog({ after, categories, limit: batchMax });
  let handled = await loadCheckpoint('log');
  let reading = read(handled);
  while (!signal.aborted) {
    const page = await reading;
    const isLast = isAtHead(page);
    if (!isLast) reading = ahead(read(page.checkpoint));
    if (page.checkpoint !== null && page.checkpoint !== handled) await handle(batchOf(page, page.checkpoint));
    handled = page.checkpoint;
    if (isLast) return;
  }
}

function batchOf({ events, atEnd }: LogPage, checkpoint: Position): FeedBatch {
  return { partition: 'log', events, checkpoint, atEnd };
}

/** It fails where it is awaited, if it is. */
function ahead(page: Promise<LogPage>): Promise<LogPage> {
  page.catch(() => undefined);
  return page;
}
