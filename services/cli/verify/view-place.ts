import { storePositionOf } from '../../../infra/event-feed/store-position.ts';
import type { ReadStore } from '../../../infra/read-store/port.ts';
import { topicList } from '../../../infra/topics/topic-list.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { eventTopics } from '../../../schemas/wire/event-record.ts';
import type { Log } from './log.ts';

/** How far a view is, by the checkpoints of its consumer. */
export type ViewPlace = {
  /**
   * Where the view follows the log: what of it the view must hold, no less and no more. Published events come in
   * partitions, each at a place of its own: there it is the least of them, and the view holds more.
   */
  readonly position: Position | null;
  readonly feed: 'log' | 'published';
};

export type PlaceInput = {
  readonly store: Pick<Log['store'], 'comparePositions'>;
  readonly views: Pick<ReadStore, 'checkpoints'>;
};

/** A partition that nobody has a checkpoint of may hold anything unread, so all of the topic's are needed for a place. */
const partitionsOfOrders = topicList.find(({ name }) => name === eventTopics.order)?.partitions ?? 0;

export async function viewPlaceOf({ store, views }: PlaceInput, consumer: string): Promise<ViewPlace> {
  const checkpoints = (await views.checkpoints()).filter((each) => each.consumer === consumer);
  const partitions = checkpoints.filter(({ partition }) => partition !== 'log');
  const ofLog = checkpoints.find(({ partition }) => partition === 'log')?.position ?? null;
  if (partitions.length === 0) return { feed: 'log', position: ofLog };
  const positions = partitions.map(({ position }) => storePositionOf(position));
  if (positions.length < partitionsOfOrders) return { feed: 'published', position: ofLog };
  const least = positions.reduce((a, b) => {
    if (a === null || b === null) return null;
    return store.comparePositions(a, b) <= 0 ? a : b;
  });
  return { feed: 'published', position: least };
}
