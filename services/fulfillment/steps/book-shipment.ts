import { derivedId, fulfillmentStream } from '../../../schemas/ids.ts';
import type { BookingResult } from '../../../infra/logistics/port.ts';
import type { World } from '../ports.ts';
import { refused, resultOf, stuck, succeeded, tellOrder, type SagaStep, type StepCall } from './step.ts';

type WithLogistics = Pick<World, 'logistics' | 'orders'>;

/** Books one shipment of all lines. Undo gives the booking back before its dispatch. */
export function bookShipment(world: WithLogistics): SagaStep {
  return {
    name: 'book',
    run: async (call) => {
      const { orderId, order } = call;
      const shipmentId = derivedId(fulfillmentStream(orderId), `shipment/${call.attempt}`);
      const booking = await book(world, call, shipmentId);
      if (booking.outcome === 'refused') return refused(booking.code);
      const { providerId, carrier, trackingNumber } = booking;
      const lines = order.lines.map(({ lineId, quantity }) => ({ lineId, quantity }));
      const fact = { orderId, shipmentId, providerId, carrier, trackingNumber, lines };
      await tellOrder(world, call, { what: 'booked', command: { type: 'RecordShipmentBooked', ...fact } });
      return succeeded({ shipmentId, bookingId: providerId });
    },
    undo: async (call) => {
      const { orderId, effectKey, undoes } = call;
      const shipmentId = resultOf(undoes?.result, 'shipmentId');
      const providerId = resultOf(undoes?.result, 'bookingId');
      const runKey = undoes?.effectKey ?? effectKey;
      const answer = await world.logistics.cancelBooking({ key: effectKey, orderId, shipmentId, effectKey: runKey });
      if (answer.outcome === 'refused') return stuck(answer.code, `shipment ${shipmentId} cannot be cancelled`);
      const command = { type: 'RecordShipmentCancelled', orderId, shipmentId, providerId } as const;
      await tellOrder(world, call, { what: 'cancelled', command });
      return succeeded();
    },
  };
}

async function book({ logistics }: WithLogistics, call: StepCall, shipmentId: string): Promise<BookingResult> {
  const { orderId, order, effectKey: key } = call;
  const known = call.isRepeat ? await logistics.find(key) : 'not-found';
  if (known !== 'not-found' && (known.outcome === 'booked' || known.outcome === 'refused')) return known;
  return logistics.book({ key, orderId, shipmentId, lines: order.lines });
}
