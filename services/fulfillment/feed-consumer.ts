import type { EventFeed, FeedBatch, Partition } from '../../infra/event-feed/port.ts';
import { runConsumer } from '../../infra/event-feed/run-consumer.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { faultOf } from '../../infra/poison.ts';
import { parkingOf, type Waiting } from '../../infra/read-store/left-behind.ts';
import { fulfillment as consumer, type ParkedStream } from '../../infra/read-store/parking.ts';
import { openParkingLimit, type ParkingLimit } from '../../infra/read-store/parking-limit.ts';
import type { Place, ReadStore } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import { orderIdOfStream, type OrderId, type StreamName } from '../../schemas/ids.ts';
import type { Driver } from './driver.ts';
import { cannotBeHeard, hearEvent, type Hearing } from './hear-event.ts';
import type { FulfillmentLimits } from './limits.ts';
import type { Observe } from './observe.ts';

export type OrderFeedOptions = Hearing & {
  readonly feed: EventFeed;
  readonly readStore: Pick<ReadStore, 'loadPlace' | 'moveCheckpoint'>;
  readonly driver: Driver;
  readonly limits: FulfillmentLimits;
  readonly observe: Observe;
};

/**
 * Starts a saga for each live order and tells it what the order says later. The checkpoint moves when every saga of the
 * batch knows; that they are driven is not waited for, only that there is room for them.
 *
 * An event that cannot be understood must neither stop the sagas of all other orders nor be forgotten: its order waits,
 * with its later events, in their order, until an operator has it told again (waiting-orders.ts). Nothing is shipped
 * meanwhile that the order itself does not allow: it has the last word on dispatch and on its own end.
 */
export function runOrderFeed(options: OrderFeedOptions, signal: AbortSignal): Promise<void> {
  const { feed, readStore, limits } = options;
  const places = new Map<Partition, Place>();
  const limit = openParkingLimit(consumer);
  return runConsumer(
    feed,
    {
      consumer,
      categories: ['order'],
      batchMax: limits.batchMax,
      signal,
      loadCheckpoint: async (partition) => {
        const place = await readStore.loadPlace(consumer, partition);
        places.set(partition, place);
        return place.checkpoint;
      },
      handle: async (batch) => {
        const place = places.get(batch.partition);
        if (place === undefined) throw new Error(`a batch of ${batch.partition} before its checkpoint was asked for`);
        places.set(batch.partition, await handled({ ...options, limit }, place, batch));
      },
    },
    { onFailure: ({ failure }) => options.observe({ what: 'loop-failed', loop: 'order-feed', error: failure }) },
  );
}

/** A drain of many orders takes a turn for each: this takes its own in between, so often that it gets it. */
const retakesMax = 50;

type Handling = OrderFeedOptions & { readonly limit: ParkingLimit };

/** @returns where the consumer stands after the batch */
async function handled(options: Handling, loaded: Place, batch: FeedBatch): Promise<Place> {
  const { partition } = batch;
  let place = loaded;
  for (let retakes = 0; ; retakes += 1) {
    const next = await tellAndMove(options, place, batch);
    if (next !== 'moved') return next;
    const stored = await options.readStore.loadPlace(consumer, partition);
    // Where only the turn changed, somebody told a waiting order again: the same batch follows what that left.
    if (stored.checkpoint !== place.checkpoint || retakes >= retakesMax) {
      options.observe({ what: 'checkpoint-refused' });
      throw new OperationalFailure('CHECKPOINT_MOVED', `${consumer} ${partition}`, { retryable: true });
    }
    place = stored;
  }
}

async function tellAndMove(options: Handling, place: Place, batch: FeedBatch): Promise<Place | 'moved'> {
  const { readStore, limit, observe } = options;
  const parked = new Map(place.parked.map((each) => [each.stream, each]));
  const { stopped, late } = await tellBatch(options, parked, batch);
  const { parking, added } = parkingOf({ consumer, parked, stopped, late, nowMs: Date.now() });
  if (added.length > 0) limit.admit(added.length, place.parked);
  const { partition, checkpoint } = batch;
  const move = { consumer, partition, from: place.checkpoint, to: checkpoint, turn: place.turn };
  if ((await readStore.moveCheckpoint(move, parking)) === 'moved') return 'moved';
  for (const { stream, firstRevision: revision, error: reason } of added) {
    observe({ what: 'order-parked', orderId: orderIdOfStream(stream) as OrderId, revision, reason });
  }
  for (const each of parking?.streams ?? []) parked.set(each.stream, each);
  return { checkpoint, turn: place.turn, parked: [...parked.values()] };
}

type Untold = { readonly stopped: ReadonlyMap<StreamName, Waiting>; readonly late: readonly RecordedEvent[] };

/** Streams side by side, the events of each in order. */
async function tellBatch(
  options: OrderFeedOptions,
  parked: ReadonlyMap<StreamName, ParkedStream>,
  batch: FeedBatch,
): Promise<Untold> {
  const stopped = new Map<StreamName, Waiting>();
  const late: RecordedEvent[] = [];
  const streams = Map.groupBy(batch.events, ({ stream }) => stream).entries();
  const work = async (): Promise<void> => {
    for (const [stream, events] of streams) {
      const before = parked.get(stream);
      if (before !== undefined) {
        late.push(...events.filter(({ revision }) => revision > before.lastRevision));
        continue;
      }
      const waiting = await tellOrder(options, events);
      if (waiting !== null) stopped.set(stream, waiting);
    }
  };
  await Promise.all(Array.from({ length: options.limits.streamsMax }, work));
  return { stopped, late };
}

/** @returns what waits: from the first event that cannot be understood; null: all were told */
async function tellOrder(options: OrderFeedOptions, events: readonly RecordedEvent[]): Promise<Waiting | null> {
  const { driver } = options;
  for (const [index, event] of events.entries()) {
    await driver.room();
    try {
      const heard = await hearEvent(options, event);
      // A redelivery makes no events; the watchdog drives what an earlier life left.
      if (heard !== null && heard.known.events.length > 0) void driver.drive(heard.key, heard.known);
    } catch (error) {
      if (!cannotBeHeard(error)) throw error;
      return { fault: faultOf(error, 'services/fulfillment/feed-consumer.ts'), events: events.slice(index) };
    }
  }
  return null;
}
