import { expect, it } from 'vitest';
import type { ShipmentEntry } from './carrier.ts';
import { logisticsContract } from './contract.ts';
import { memoryLogistics } from './memory.ts';
import { openLogistics } from './open.ts';

logisticsContract('memory', () =>
  Promise.resolve({ logistics: openLogistics('memory:'), close: () => Promise.resolve() }),
);

it('refuses to open logistics by an unknown scheme', () => {
  expect(() => openLogistics('ftp://carrier')).toThrow('logistics: the URL must start with http:, https: or memory:');
});

it('is in transit from dispatch until deliveryMs have passed, also for a carrier that started anew', async () => {
  const entries: ShipmentEntry[] = [];
  let now = Date.parse('2026-01-01T00:00:00.000Z');
  const options = { now: () => new Date(now), deliveryMs: 1000 };
  const before = memoryLogistics({ ...options, record: (entry) => Promise.resolve(void entries.push(entry)) });
  const shipment = { orderId: 'o', shipmentId: 's' };
  const booking = await before.book({ ...shipment, key: 'o/book/1', lines: [] });
  const providerId = booking.outcome === 'booked' ? booking.providerId : '';
  await before.dispatch({ ...shipment, key: 'o/ship/1', providerId });
  now += 999;
  const after = memoryLogistics({ ...options, entries });
  expect(await after.delivery({ ...shipment, providerId })).toEqual({ outcome: 'in-transit' });
  now += 1;
  const delivered = { outcome: 'delivered', at: '2026-01-01T00:00:01.000Z' };
  expect(await after.delivery({ ...shipment, providerId })).toEqual(delivered);
  expect(await after.book({ ...shipment, key: 'o/book/1', lines: [] })).toEqual(booking);
});
