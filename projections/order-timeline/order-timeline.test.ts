import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exampleData } from '../../schemas/examples.ts';
import type { AnyEvent } from '../../schemas/envelope.ts';
import { anOrderId, anyHistory, booked, delivered, dispatched, paymentFact, placement, recorded } from '../examples.ts';
import { foldDocument } from '../projection.ts';
import { orderTimeline } from './projection.ts';
import { itemsMax, type OrderTimeline } from './timeline.ts';

const orderId = anOrderId('one');

function fold(events: readonly AnyEvent[], options: Parameters<typeof recorded>[1] = {}): OrderTimeline {
  const timeline = foldDocument(orderTimeline, recorded(events, options), { key: orderId, document: null });
  if (timeline === null) throw new Error('no timeline');
  return timeline;
}

describe('the timeline of an order', () => {
  it('tells its life in words, oldest first, with what a support page shows', () => {
    const events = [
      placement(orderId),
      paymentFact('PaymentCaptured', orderId),
      booked(orderId),
      dispatched(orderId),
      delivered(orderId),
    ];
    const time = (second: number): string => `2026-01-01T12:00:0${second}.000Z`;
    expect(fold(events)).toEqual({
      orderId,
      items: [
        { version: 1, at: time(0), type: 'OrderPlaced', title: 'Order placed', amount: 2_500, currency: 'EUR', quantity: 3 }, // prettier-ignore
        { version: 2, at: time(1), type: 'PaymentCaptured', title: 'Payment received', paymentId: 'p1', amount: 2_500, currency: 'EUR' }, // prettier-ignore
        { version: 3, at: time(2), type: 'ShipmentBooked', title: 'Shipment booked', shipmentId: 's1', carrier: 'post', trackingNumber: 'T1', quantity: 3 }, // prettier-ignore
        { version: 4, at: time(3), type: 'ShipmentDispatched', title: 'Shipped', shipmentId: 's1', quantity: 3 },
        { version: 5, at: time(4), type: 'ShipmentDelivered', title: 'Delivered', shipmentId: 's1' },
      ],
      omitted: 0,
      updatedAt: time(4),
      version: 5,
    });
  });

  it('says when things happened, not when they were imported, and nothing where nobody knows', () => {
    const at = '2017-10-02T13:56:33.000Z';
    expect(fold([placement(orderId)], { origin: 'backfill', occurredAt: at }).items[0]?.at).toBe(at);
    expect(fold([placement(orderId)], { origin: 'backfill', occurredAt: null }).items[0]?.at).toBeNull();
    const now = { occurredAt: null, recordedAt: '2026-05-01T00:00:00.000Z' };
    expect(fold([placement(orderId)], now).items[0]?.at).toBe(now.recordedAt);
  });

  it('keeps the last steps and counts what it leaves out', () => {
    const flood = Array.from({ length: itemsMax + 7 }, () => paymentFact('PaymentCaptured', orderId));
    const timeline = fold([placement(orderId), ...flood]);
    expect([timeline.items.length, timeline.omitted, timeline.version]).toEqual([itemsMax, 8, itemsMax + 8]);
    expect([timeline.items[0]?.version, timeline.items.at(-1)?.version]).toEqual([9, itemsMax + 8]);
  });

  it('has words for every event of an order', () => {
    const types = Object.keys(exampleData) as (keyof typeof exampleData)[];
    const events = types.map((type) => ({ type, data: exampleData[type] }) as AnyEvent);
    const id = exampleData.OrderPlaced.orderId;
    const ofOrders = recorded(events.filter(({ type, data }) => 'orderId' in data && !type.startsWith('Stock'))).filter(
      ({ stream }) => stream.startsWith('order-'),
    );
    const changed = ofOrders.flatMap((event) => orderTimeline.changes(event));
    const placed = foldDocument(orderTimeline, ofOrders, { key: id, document: null });
    expect([changed.length, ofOrders.length > 15]).toEqual([ofOrders.length, true]);
    expect(placed?.items.every(({ title }) => title.length > 0)).toBe(true);
  });

  it('holds nothing that was sealed, and counts every event once', () => {
    fc.assert(
      fc.property(anyHistory, (given) => {
        const ofOne = given.filter(({ data }) => 'orderId' in data && data.orderId === orderId);
        const events = recorded([placement(orderId), ...ofOne.filter(({ type }) => type !== 'OrderPlaced')]);
        const timeline = foldDocument(orderTimeline, events, { key: orderId, document: null });
        const ofOrder = events.filter(({ stream }) => stream.startsWith('order-'));
        expect(timeline?.items.length).toBe(ofOrder.length);
        expect(JSON.stringify(timeline)).not.toMatch(/sealed|box|keyId/);
      }),
    );
  });
});
