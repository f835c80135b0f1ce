import type { EventFeed, FeedBatch, Partition, Checkpoint } from '../../infra/event-feed/port.ts';
import { runConsumer } from '../../infra/event-feed/run-consumer.ts';
import type { Transactor } from '../../infra/event-store/transact.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import type { ReadStore } from '../../infra/read-store/port.ts';
import type { Recorded, RecordedEvent } from '../../schemas/envelope.ts';
import { derivedCommandId, fulfillmentStream, orderIdOfStream, type OrderId } from '../../schemas/ids.ts';
import type { OrderAmendedData, OrderEvent, OrderPlacedData } from '../../schemas/generated/events.ts';
import type { NoteOrderAmended, NoteOrderSignal, SagaCommand, StartFulfillment } from './commands.ts';
import type { Driver } from './driver.ts';
import type { FulfillmentLimits } from './limits.ts';
import type { Observe } from './observe.ts';
import type { SagaState } from './saga-state.ts';
import { tellSaga } from './tell-saga.ts';

export type OrderFeedOptions = {
  readonly feed: EventFeed;
  readonly readStore: Pick<ReadStore, 'loadCheckpoint' | 'moveCheckpoint'>;
  readonly transactor: Transactor<SagaState, SagaCommand>;
  readonly driver: Driver;
  readonly limits: FulfillmentLimits;
  /** How long a payment of this method may be missing. */
  readonly unpaidExpiryMs: (method: string) => number;
  readonly observe: Observe;
};

const consumer = 'fulfillment';

/**
 * Starts a saga for each live order and tells it what the order says later. The checkpoint moves when every saga of the
 * batch knows; that they are driven is not waited for, only that there is room for them.
 */
export function runOrderFeed(options: OrderFeedOptions, signal: AbortSignal): Promise<void> {
  const { feed, readStore, limits } = options;
  const checkpoints = new Map<Partition, Checkpoint | null>();
  return runConsumer(
    feed,
    {
      consumer,
      categories: ['order'],
      batchMax: limits.batchMax,
      signal,
      loadCheckpoint: async (partition) => {
        const checkpoint = await readStore.loadCheckpoint(consumer, partition);
        checkpoints.set(partition, checkpoint);
        return checkpoint;
      },
      handle: async (batch) => {
        await tellBatch(options, batch);
        const { partition, checkpoint } = batch;
        const from = checkpoints.get(partition) ?? null;
        const moved = await readStore.moveCheckpoint({ consumer, partition, from, to: checkpoint });
        if (moved === 'moved') {
          options.observe({ what: 'checkpoint-refused' });
          throw new OperationalFailure('CHECKPOINT_MOVED', `${consumer} ${partition}`, { retryable: true });
        }
        checkpoints.set(partition, checkpoint);
      },
    },
    { onFailure: ({ failure }) => options.observe({ what: 'loop-failed', loop: 'order-feed', error: failure }) },
  );
}

/** Streams side by side, the events of each in order. */
async function tellBatch(options: OrderFeedOptions, batch: FeedBatch): Promise<void> {
  const streams = Map.groupBy(batch.events, ({ stream }) => stream).values();
  const work = async (): Promise<void> => {
    for (const events of streams) for (const event of events) await tellEvent(options, event);
  };
  await Promise.all(Array.from({ length: options.limits.streamsMax }, work));
}

async function tellEvent(options: OrderFeedOptions, event: RecordedEvent): Promise<void> {
  const command = heardCommand(options, event);
  if (command === null) return;
  await options.driver.room();
  const { tenantId, eventId, correlationId } = event;
  const key = { tenantId, orderId: (event as Recorded<OrderEvent>).data.orderId as OrderId };
  const name = `feed/${eventId}`;
  const known = await tellSaga(options.transactor, { key, name, command, correlationId, causationId: eventId });
  // A redelivery makes no events; the watchdog drives what an earlier life left.
  if (known.events.length > 0) void options.driver.drive(key, known);
}

/** An event that cannot be understood is told and left out: it must not stop the sagas of all other orders. */
function heardCommand(
  { unpaidExpiryMs, observe }: OrderFeedOptions,
  event: RecordedEvent,
): ReturnType<typeof commandOf> {
  try {
    return commandOf(event as Recorded<OrderEvent>, unpaidExpiryMs);
  } catch (error) {
    observe({ what: 'bug', orderId: orderIdOfStream(event.stream) as OrderId, step: null, error });
    return null;
  }
}

/** What an order's event means for its saga; null: nothing. Imported history has no saga. */
export function commandOf(
  event: Recorded<OrderEvent>,
  unpaidExpiryMs: (method: string) => number,
): StartFulfillment | NoteOrderSignal | NoteOrderAmended | null {
  if (event.origin === 'backfill') return null;
  switch (event.type) {
    case 'OrderPlaced':
      return start(event.data, unpaidExpiryMs);
    case 'OrderAmended':
      return { type: 'NoteOrderAmended', orderVersion: event.revision + 1, ...goodsOf(event.data) };
    case 'OrderCancelled':
      return { type: 'NoteOrderSignal', signal: 'cancelled' };
    case 'OrderExpired':
      return { type: 'NoteOrderSignal', signal: 'expired' };
    case 'PaymentFailed':
      return isOwn(event)
        ? null
        : { type: 'NoteOrderSignal', signal: 'payment_failed', paymentId: event.data.paymentId };
    case 'PaymentCaptured': {
      if (isOwn(event)) return null;
      const { paymentId, providerId, amount } = event.data;
      return { type: 'NoteOrderSignal', signal: 'paid', paymentId, captureId: providerId, amount };
    }
    default:
      // The saga itself brought about the rest.
      return null;
  }
}

/**
 * Whether the saga itself told the order so, in the first attempt of a step: it knows. This only saves a question, for
 * its decide drops what it knows.
 */
function isOwn(event: Recorded<Extract<OrderEvent, { readonly type: 'PaymentCaptured' | 'PaymentFailed' }>>): boolean {
  const { orderId, paymentId } = event.data;
  const stream = fulfillmentStream(orderId as OrderId);
  const name = event.type === 'PaymentCaptured' ? 'capture/run/1/captured' : 'authorize/run/1/failed';
  return derivedCommandId(stream, `${name}/${paymentId}`) === event.commandId;
}

function start(data: OrderPlacedData, unpaidExpiryMs: (method: string) => number): StartFulfillment {
  const { orderId, customerId, currency, payments } = data;
  return {
    type: 'StartFulfillment',
    orderId: orderId as OrderId,
    customerId,
    currency,
    ...goodsOf(data),
    unpaidExpiryMs: expiryMs(payments, unpaidExpiryMs),
  };
}

/** What a saga needs to know of what is sold and paid. */
function goodsOf({ totals, lines, payments }: OrderPlacedData | OrderAmendedData) {
  return {
    total: totals.total,
    lines: lines.map(({ lineId, sku, quantity }) => ({ lineId, sku, quantity })),
    payments: payments.map(({ paymentId, method, amount }) => ({ paymentId, method, amount })),
  };
}

/** The slowest method decides. An order without payments has nothing to wait for, and never gets as far as to expire. */
function expiryMs(payments: OrderPlacedData['payments'], expiryOf: (method: string) => number): number {
  const methods = payments.length > 0 ? payments.map(({ method }) => method) : ['card'];
  return Math.max(...methods.map(expiryOf));
}
