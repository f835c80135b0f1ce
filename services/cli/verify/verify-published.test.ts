import { describe, expect, it } from 'vitest';

import { toCheckpoint } from '../../../infra/event-feed/kafka/place.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import { projections } from '../../../projections/all.ts';
import type { Position } from '../../../schemas/envelope.ts';
import { viewsAreFolds } from './invariants/i15-views-are-folds.ts';
import { progressIsTheCheckpoint } from './invariants/i18-progress-is-the-checkpoint.ts';
import { found, goodHistory, history, inputOf, order, orderId, tenantId, viewsOf } from './test-history.ts';
import { verify } from './verify.ts';

const good = history(goodHistory);
const partitionsAll = 12;
const consumer = orderSummary.view.name;

/** order-summary as it follows published events: it saw all up to one event, and its partitions are at others. */
async function publishedViews(seenTo: number, places: readonly number[]) {
  const views = await viewsOf(good);
  await views.clear(orderSummary.view);
  const whole = await viewsOf(good.slice(0, seenTo));
  const [document] = await whole.find(orderSummary.view, [{ tenantId, key: orderId }]);
  const seen = good.slice(0, seenTo).findLast(({ stream }) => stream === order);
  if (document === undefined || seen === undefined) throw new Error('the order is not seen yet');
  for (const [partition, place] of places.entries()) {
    const to = toCheckpoint({ position: positionAt(place), offset: place + 1, print: '0a0b0c0d' });
    const move = { consumer, partition: `order.events/${partition}`, from: null, to };
    const documents = partition === 0 ? [{ tenantId, key: orderId, document }] : [];
    await views.commit({
      view: orderSummary.view,
      documents,
      progress: partition === 0 ? [{ stream: order, revision: seen.revision, eventId: seen.eventId }] : [],
      move,
    });
  }
  return views;
}

function positionAt(index: number): Position {
  const position = good[index]?.position;
  if (position === undefined) throw new Error('there is no such event');
  return position;
}

const last = good.length - 1;
const everywhere = (place: number) => Array.from({ length: partitionsAll }, () => place);

describe('a view of published events', () => {
  it('is its fold where it has seen all, wherever its partitions are', async () => {
    const views = await publishedViews(good.length, [last, ...everywhere(3).slice(1)]);
    expect(await found(viewsAreFolds, good, { views })).toMatchObject({ violations: [] });
    expect(await found(progressIsTheCheckpoint, good, { views })).toEqual({
      checked: projections.length,
      violations: [],
    });
  });

  it('may be behind, and that is said', async () => {
    const views = await publishedViews(7, everywhere(6));
    const [verdict] = await verify([viewsAreFolds], await inputOf(good, { views }));
    expect(verdict?.finding).toMatchObject({
      violations: { count: 0 },
      remark: 'order-summary has not seen all events of 1 order yet',
    });
    expect(await found(progressIsTheCheckpoint, good, { views })).toMatchObject({ violations: [] });
  });

  it('is found wrong where it has seen all and shows another thing', async () => {
    const views = await publishedViews(good.length, everywhere(last));
    const [document] = await views.find(orderSummary.view, [{ tenantId, key: orderId }]);
    if (document === null || document === undefined) throw new Error('the order is not in the view');
    const from = toCheckpoint({ position: positionAt(last), offset: last + 1, print: '0a0b0c0d' });
    const move = { consumer, partition: 'order.events/0', from, to: from };
    const wrong = { tenantId, key: orderId, document: { ...document, customerId: 'another' } };
    await views.commit({ view: orderSummary.view, documents: [wrong], progress: [], move });
    expect(await found(viewsAreFolds, good, { views })).toMatchObject({
      violations: [`order-summary of ${tenantId} ${orderId} is not its fold`],
    });
  });

  it('dropped what lies before the places of all its partitions and was not seen', async () => {
    const views = await publishedViews(7, everywhere(last));
    expect(await found(progressIsTheCheckpoint, good, { views })).toMatchObject({
      violations: [`order-summary dropped ${order} after revision 2`],
    });
  });

  it('is not said to have dropped anything while a partition has no place yet', async () => {
    const views = await publishedViews(7, everywhere(last).slice(1));
    expect(await found(progressIsTheCheckpoint, good, { views })).toMatchObject({ violations: [] });
  });
});
