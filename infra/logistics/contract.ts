import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { BookShipment, Logistics } from './port.ts';

export type OpenedLogistics = { readonly logistics: Logistics; readonly close: () => Promise<void> };

/** What every logistics adapter must do. `open` gives an adapter on an empty carrier that delivers within a second. */
export function logisticsContract(name: string, open: () => Promise<OpenedLogistics>): void {
  describe(`logistics: ${name}`, () => {
    let opened: OpenedLogistics;
    let logistics: Logistics;
    let orders = 0;
    beforeAll(async () => {
      opened = await open();
      logistics = opened.logistics;
    });
    afterAll(() => opened.close());

    const booking = (): BookShipment => {
      const orderId = `order-${(orders += 1)}`;
      const lines = [{ lineId: 'l1', sku: 'blue shoe/42', quantity: 2 }];
      const address = { name: 'A. Name', line1: 'Street 1', city: 'Town', postalCode: '1000', country: 'BR' };
      return { key: `${orderId}/book-shipment/1`, orderId, shipmentId: 's1', lines, address };
    };
    const undoOf = ({ key, orderId, shipmentId }: BookShipment) => {
      return { key: `${key}/undo`, orderId, shipmentId, effectKey: key };
    };
    const booked = async () => {
      const request = booking();
      const result = await logistics.book(request);
      if (result.outcome !== 'booked') throw new Error(`expected a booking, got ${result.code}`);
      const { orderId, shipmentId } = request;
      const { providerId } = result;
      const dispatch = { key: `${orderId}/ship/1`, orderId, shipmentId, providerId };
      return { request, result, dispatch, question: { orderId, shipmentId, providerId } };
    };

    it('books with a carrier and a tracking number', async () => {
      const { result } = await booked();
      expect(result.carrier).not.toBe('');
      expect(result.trackingNumber).not.toBe('');
    });

    it('answers a repeated key with its first result', async () => {
      const { request, result, dispatch } = await booked();
      expect(await logistics.book(request)).toEqual(result);
      const dispatched = await logistics.dispatch(dispatch);
      expect(await logistics.dispatch(dispatch)).toEqual(dispatched);
    });

    it('refuses a key of another request', async () => {
      const { request } = await booked();
      const failure = { code: 'DEPENDENCY_REFUSED', retryable: false };
      await expect(logistics.book({ ...request, shipmentId: 's2' })).rejects.toMatchObject(failure);
      await expect(logistics.cancelBooking({ ...undoOf(request), key: request.key })).rejects.toMatchObject(failure);
    });

    it('delivers what it dispatched', async () => {
      const { dispatch, question } = await booked();
      expect(await logistics.delivery(question)).toEqual({ outcome: 'failed', code: 'NOT_DISPATCHED' });
      const dispatched = await logistics.dispatch(dispatch);
      if (dispatched.outcome !== 'dispatched') throw new Error(`expected a dispatch, got ${dispatched.code}`);
      const isDelivered = async () =>
        expect(await logistics.delivery(question)).toMatchObject({ outcome: 'delivered' });
      await vi.waitFor(isDelivered, { timeout: 2000, interval: 20 });
      const delivered = await logistics.delivery(question);
      if (delivered.outcome !== 'delivered') throw new Error('expected it to stay delivered');
      expect(Date.parse(delivered.at)).toBeGreaterThanOrEqual(Date.parse(dispatched.at));
    });

    it('dispatches a parcel once, also under a second key', async () => {
      const { dispatch } = await booked();
      const first = await logistics.dispatch(dispatch);
      expect(await logistics.dispatch({ ...dispatch, key: `${dispatch.key}b` })).toEqual(first);
    });

    it('refuses to dispatch a cancelled booking', async () => {
      const { request, dispatch } = await booked();
      expect(await logistics.cancelBooking(undoOf(request))).toEqual({ outcome: 'cancelled' });
      expect(await logistics.dispatch(dispatch)).toEqual({ outcome: 'refused', code: 'BOOKING_CANCELLED' });
    });

    it('cancels a booking as often as asked', async () => {
      const { request } = await booked();
      const undo = undoOf(request);
      expect(await logistics.cancelBooking(undo)).toEqual({ outcome: 'cancelled' });
      expect(await logistics.cancelBooking(undo)).toEqual({ outcome: 'cancelled' });
      expect(await logistics.cancelBooking({ ...undo, key: `${undo.key}/2` })).toEqual({ outcome: 'cancelled' });
    });

    it('refuses to cancel what was dispatched', async () => {
      const { request, dispatch } = await booked();
      await logistics.dispatch(dispatch);
      expect(await logistics.cancelBooking(undoOf(request))).toEqual({
        outcome: 'refused',
        code: 'ALREADY_DISPATCHED',
      });
    });

    it('refuses to dispatch what was never booked', async () => {
      const { dispatch } = await booked();
      const unknown = { ...dispatch, key: `${dispatch.key}b`, providerId: 'booking_unknown' };
      expect(await logistics.dispatch(unknown)).toEqual({ outcome: 'refused', code: 'BOOKING_NOT_FOUND' });
    });

    it('refuses a booking that comes after its undo', async () => {
      const request = booking();
      const tombstoned = { outcome: 'refused', code: 'TOMBSTONED' };
      expect(await logistics.cancelBooking(undoOf(request))).toEqual({ outcome: 'cancelled' });
      expect(await logistics.find(request.key)).toEqual(tombstoned);
      expect(await logistics.book(request)).toEqual(tombstoned);
    });

    it('finds each kind of result by its key', async () => {
      const { request, result, dispatch } = await booked();
      expect(await logistics.find(dispatch.key)).toBe('not-found');
      const dispatched = await logistics.dispatch(dispatch);
      expect(await logistics.find(request.key)).toEqual(result);
      expect(await logistics.find(dispatch.key)).toEqual(dispatched);
      const other = await booked();
      const undo = undoOf(other.request);
      await logistics.cancelBooking(undo);
      expect(await logistics.find(undo.key)).toEqual({ outcome: 'cancelled' });
    });
  });
}
