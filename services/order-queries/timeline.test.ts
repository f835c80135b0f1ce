import { describe, expect, it } from 'vitest';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { openMemoryReadStore } from '../../infra/read-store/memory/memory-read-store.ts';
import { anOrderId, appendAll, otherTenant, paymentFact, placement, tenant } from '../../projections/examples.ts';
import { orderSummary } from '../../projections/order-summary/projection.ts';
import { orderTimeline } from '../../projections/order-timeline/projection.ts';
import type { AnyEvent } from '../../schemas/envelope.ts';
import { orderStream, type OrderId } from '../../schemas/ids.ts';
import type { TimelinePage } from './get-timeline.ts';
import { anewOn, leaveBehind, openWorld, project, type World } from './test-read-models.ts';

const orderId = anOrderId('order');
const place = placement(orderId);
const pay = paymentFact('PaymentCaptured', orderId);

async function timelineOf({ queries }: World, of = orderId, tenantId = tenant): Promise<TimelinePage | string> {
  const answer = await queries.timeline(tenantId, of);
  return answer.outcome === 'found' ? answer.timeline : answer.outcome;
}

async function pageOf(world: World, of = orderId): Promise<TimelinePage> {
  const page = await timelineOf(world, of);
  if (typeof page === 'string') throw new Error(page);
  return page;
}

const down = <Result>(): Promise<Result> =>
  Promise.reject(new OperationalFailure('VIEWS_UNAVAILABLE', 'down', { retryable: true }));

describe('the timeline of an order', () => {
  it('is the same from the view as folded from the store, but for its freshness', async () => {
    const world = await openWorld();
    const events = await appendAll(world.store, [place, pay]);
    const folded = await pageOf(world);
    await project(world, orderTimeline, events);
    const viewed = await pageOf(world);
    expect(folded.items.map(({ version, title }) => [version, title])).toEqual([[1, 'Order placed'], [2, 'Payment received']]); // prettier-ignore
    expect(viewed).toEqual(folded);
    expect(viewed.asOf).toMatchObject({ version: 2, lagMs: 0, projection: 'order-timeline@1', parked: false });
  });

  it('says how old it is where the view has not seen everything', async () => {
    const store = openMemoryEventStore({ now: () => new Date(Date.now() - 60_000) });
    const world = await openWorld({ store });
    const events = await appendAll(store, [place, pay]);
    await project(world, orderTimeline, events.slice(0, 1));
    const { items, asOf } = await pageOf(world);
    expect([items.length, asOf.lagMs >= 60_000]).toEqual([1, true]);
  });

  it('is no other tenant’s, by whichever way, and none where nobody placed it', async () => {
    const world = await openWorld();
    const events = await appendAll(world.store, [place]);
    expect(await timelineOf(world, orderId, otherTenant)).toBe('not-found');
    await project(world, orderTimeline, events);
    expect(await timelineOf(world, orderId, otherTenant)).toBe('not-found');
    expect(await timelineOf(world, anOrderId('unknown'))).toBe('not-found');
  });

  it('is folded from the store while the read database is down', async () => {
    const world = await openWorld({
      readStore: { ...openMemoryReadStore(), find: down, loadCheckpoint: down, checkpoints: down },
    });
    await appendAll(world.store, [place, pay]);
    expect((await pageOf(world)).items).toHaveLength(2);
  });

  it('says parked of the one order that its view left behind, until it is drained; other views do not count', async () => {
    const world = await openWorld();
    const other = anOrderId('other');
    const events = await appendAll(world.store, [place, placement(other), pay]);
    await project(world, orderTimeline, events.slice(0, 2));
    await leaveBehind(world, orderSummary, { events: events.slice(0, 1) });
    expect((await pageOf(world)).asOf.parked).toBe(false);
    await leaveBehind(world, orderTimeline, { events: events.slice(2) });
    const later = await anewOn(world);
    expect((await pageOf(later)).asOf).toMatchObject({ parked: true, version: 1 });
    expect((await pageOf(later, other)).asOf.parked).toBe(false);
    await world.readStore.parking.mend({
      ...{ view: orderTimeline.view, stream: orderStream(orderId), keys: [] },
      fold: () => ({ answer: null, mended: { documents: [], progress: null, parked: null } }),
    });
    expect((await pageOf(await anewOn(world))).asOf.parked).toBe(false);
  });

  it('is folded as far as it goes where no view knows the order, and says so; where that is nowhere, it is parked', async () => {
    const world = await openWorld();
    await appendAll(world.store, [place, unreadable(orderId, 'ShipmentDispatched'), pay]);
    const { items, asOf } = await pageOf(world);
    expect([items.length, asOf.parked, asOf.version]).toEqual([1, true, 1]);
    const broken = anOrderId('broken');
    await appendAll(world.store, [unreadable(broken, 'OrderPlaced')]);
    expect(await timelineOf(world, broken)).toBe('parked');
  });
});

/** As a writer's bug would leave it: it lacks what its type says. */
function unreadable(of: OrderId, type: string): AnyEvent {
  return { type, data: { orderId: of } } as unknown as AnyEvent;
}
