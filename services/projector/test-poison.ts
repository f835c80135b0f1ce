import type { Checkpoint, EventFeed, FeedBatch } from '../../infra/event-feed/port.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import { tenant } from '../../projections/examples.ts';
import type { Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';

/** What was applied: every event's id of a stream, in order; and, under one key for all streams, how many. */
export type Tally = { readonly events: readonly string[]; readonly count: number; readonly at: string };

export const allStreams = '(all)';

/** How an event is poison: where its changes are told, where they are applied, or in a column of the document. */
export type Kind = 'changes' | 'update' | 'column';

export type Poisoned = {
  readonly projection: Projection<Tally>;
  /** Event ids, each with its kind; emptied by a fix. */
  readonly poison: Map<string, Kind>;
};

/** A projection that applies an event to two documents, and throws for events that are poison until they are mended. */
export function poisonedProjection(): Poisoned {
  const poison = new Map<string, Kind>();
  const fail = (eventId: string | undefined, kind: Kind): void => {
    if (eventId !== undefined && poison.get(eventId) === kind) throw new TypeError('what jane@example.org typed');
  };
  const projection: Projection<Tally> = {
    view: {
      name: 'test-tally',
      version: 1,
      columns: {
        at: {
          type: 'timestamptz',
          of: ({ events, at }) => {
            for (const eventId of events) fail(eventId, 'column');
            return at;
          },
        },
      },
      indexes: [['at']],
    },
    categories: ['order', 'fulfillment'],
    sharedDocuments: true,
    changes: ({ stream, eventId, tenantId }) => {
      fail(eventId, 'changes');
      return [
        { tenantId, key: allStreams, update: (current) => counted(current) },
        {
          tenantId,
          key: stream,
          update: (current) => {
            fail(eventId, 'update');
            return counted(current, eventId);
          },
        },
      ];
    },
  };
  return { projection, poison };
}

function counted(current: Tally | null, ...eventIds: readonly string[]): Tally {
  const { events = [], count = 0 } = current ?? {};
  return { events: [...events, ...eventIds], count: count + 1, at: '2026-01-01T00:00:00.000Z' };
}

/** What of each stream was applied, in order, and how many events of all streams together. */
export async function tallyOf(
  readStore: ReadStore,
  { view }: Projection<Tally>,
  streams: readonly string[],
): Promise<{ readonly streams: Readonly<Record<string, readonly string[]>>; readonly count: number }> {
  const keys = [allStreams, ...streams].map((key) => ({ tenantId: tenant, key }));
  const [all, ...found] = await readStore.find(view, keys);
  return {
    streams: Object.fromEntries(streams.map((stream, index) => [stream, found[index]?.events ?? []])),
    count: all?.count ?? 0,
  };
}

export type Delivery = { readonly events: readonly RecordedEvent[]; readonly checkpoint: Checkpoint };

export function deliver(name: string, ...events: readonly RecordedEvent[]): Delivery {
  return { events, checkpoint: name as Checkpoint };
}

/** Hands out the given batches from the stored checkpoint on, then ends. */
export function feedOf(deliveries: readonly Delivery[]): EventFeed {
  return {
    run: async ({ loadCheckpoint, handle }) => {
      const stored = await loadCheckpoint('log');
      const done = deliveries.findIndex(({ checkpoint }) => checkpoint === stored);
      for (const [index, delivery] of deliveries.slice(done + 1).entries()) {
        const batch: FeedBatch = { ...delivery, partition: 'log', atEnd: index === deliveries.length - 1 };
        await handle(batch);
      }
    },
  };
}
