import type { Checkpoint } from '../../infra/event-feed/port.ts';
import type { EventStore } from '../../infra/event-store/port.ts';
import type { EndOffsets, Topics } from '../../infra/topics/port.ts';
import type { Category } from '../../schemas/ids.ts';
import { eventTopics } from '../../schemas/wire/event-record.ts';

export type LossWatchOptions = {
  readonly store: Pick<EventStore, 'readLog' | 'comparePositions'>;
  readonly topics: Pick<Topics, 'endOffsets'>;
  readonly topicPrefix: string;
};

export type LossWatch = {
  /**
   * A topic that lacks records which were published before the checkpoint; null: none is known to.
   * @throws OperationalFailure KAFKA_UNAVAILABLE, STORE_UNAVAILABLE (both retryable)
   */
  lostTopic(checkpoint: Checkpoint | null): Promise<string | null>;
  /** The topic is being filled again: what it ended at before is of another life. */
  noteRefill(topic: string): void;
};

const relayed = Object.entries(eventTopics) as readonly (readonly [Category, string])[];

/**
 * The end of a partition never goes back while its topic lives, whatever retention takes away at its beginning. So a
 * partition that ends earlier than it once did was made anew; and so was a topic without any record, when the log has an
 * event for it before the checkpoint.
 */
export function openLossWatch({ store, topics, topicPrefix }: LossWatchOptions): LossWatch {
  const seen = new Map<string, EndOffsets>();
  return {
    noteRefill: (topic) => void seen.delete(topic),
    lostTopic: async (checkpoint) => {
      const ends = await topics.endOffsets(relayed.map(([, topic]) => `${topicPrefix}${topic}`));
      for (const [category, topic] of relayed) {
        const now = ends.get(`${topicPrefix}${topic}`);
        const before = seen.get(topic);
        // A topic that is not there cannot be filled: the next produce tells, and this look comes again after it.
        if (now === undefined) continue;
        const isBehind = before !== undefined && hasGoneBack(before, now);
        const isLost = isBehind || (isEmpty(now) && (await isPast(store, category, checkpoint)));
        if (checkpoint !== null && isLost) return topic;
        seen.set(topic, now);
      }
      return null;
    },
  };
}

function hasGoneBack(before: EndOffsets, now: EndOffsets): boolean {
  return [...before].some(([partition, end]) => (now.get(partition) ?? 0) < end);
}

function isEmpty(ends: EndOffsets): boolean {
  return [...ends.values()].every((end) => end === 0);
}

/** Whether the checkpoint lies behind an event of the category. */
async function isPast(
  store: LossWatchOptions['store'],
  category: Category,
  checkpoint: Checkpoint | null,
): Promise<boolean> {
  if (checkpoint === null) return false;
  const { events } = await store.readLog({ after: null, categories: [category], limit: 1 });
  const first = events[0];
  return first !== undefined && store.comparePositions(first.position, checkpoint) <= 0;
}
