import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { orderIdOfStream } from '../schemas/ids.ts';
import { projections } from './all.ts';
import { anOrderId, anyHistory, placement, recorded } from './examples.ts';

/** The orders that change each document of a projection. */
function ordersByDocument(
  projection: (typeof projections)[number],
  events: ReturnType<typeof recorded>,
): ReadonlyMap<string, ReadonlySet<string>> {
  const orders = new Map<string, Set<string>>();
  for (const event of events) {
    for (const { tenantId, key } of projection.changes(event)) {
      const place = `${tenantId} ${key}`;
      orders.set(place, (orders.get(place) ?? new Set()).add(orderIdOfStream(event.stream) ?? event.stream));
    }
  }
  return orders;
}

describe.each(projections.map((projection) => [projection.view.name, projection] as const))('%s', (...row) => {
  const [, projection] = row;
  it('has a document changed by several orders only where it says so: others may be fed by partitions', () => {
    const two = recorded([placement(anOrderId('one')), placement(anOrderId('two'))]);
    const shares = (events: ReturnType<typeof recorded>): boolean =>
      [...ordersByDocument(projection, events).values()].some((orders) => orders.size > 1);
    if (projection.sharedDocuments === true) expect(shares(two)).toBe(true);
    else fc.assert(fc.property(anyHistory, (history) => !shares([...two, ...recorded(history)])));
  });
});
