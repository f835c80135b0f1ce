import type { DispatchResult } from '../../../infra/logistics/port.ts';
import type { World } from '../ports.ts';
import { deductStock } from './reserve-stock.ts';
import { askOrder, refused, resultOf, stuck, succeeded, tellOrder, type SagaStep, type StepCall } from './step.ts';

type WithParcels = Pick<World, 'logistics' | 'orders' | 'inventory'>;
type Parcel = { readonly shipmentId: string; readonly providerId: string };

/**
 * The pivot: the order itself decides whether dispatch begins. Once it agreed, a cancel is refused and there is no way
 * back; where a cancel came first, it refuses, and nothing left the building.
 */
export function dispatchShipment(world: WithParcels): SagaStep {
  return {
    name: 'dispatch',
    run: async (call) => {
      const { orderId } = call;
      const begun = await askOrder(world, call, { what: 'begin', command: { type: 'BeginDispatch', orderId } });
      if (begun.outcome === 'rejected') return refused(begun.rejection.code);
      const parcel = parcelOf(call);
      const answer = await dispatch(world, call, parcel);
      if (answer.outcome === 'refused') return failedShipment(world, call, { ...parcel, code: answer.code });
      const fact = { type: 'RecordShipmentDispatched', orderId, ...parcel, occurredAt: answer.at } as const;
      await tellOrder(world, call, { what: 'dispatched', command: fact });
      await deductStock(world, call);
      return succeeded({ dispatchedAt: answer.at });
    },
    undo: cannotBeUndone,
  };
}

/** Asks the carrier until the customer has the parcel. */
export function deliverShipment(world: Pick<World, 'logistics' | 'orders'>): SagaStep {
  return {
    name: 'deliver',
    run: async (call) => {
      const { orderId } = call;
      const parcel = parcelOf(call);
      const answer = await world.logistics.delivery({ orderId, ...parcel });
      if (answer.outcome === 'in-transit') return { outcome: 'waiting' };
      if (answer.outcome === 'failed') return failedShipment(world, call, { ...parcel, code: answer.code });
      const fact = { type: 'RecordShipmentDelivered', orderId, ...parcel, occurredAt: answer.at } as const;
      await tellOrder(world, call, { what: 'delivered', command: fact });
      return succeeded({ deliveredAt: answer.at });
    },
    undo: cannotBeUndone,
  };
}

function cannotBeUndone(): ReturnType<SagaStep['undo']> {
  return Promise.resolve(stuck('ORDER_ALREADY_SHIPPED', 'a parcel that left the building is not called back'));
}

async function dispatch({ logistics }: WithParcels, call: StepCall, parcel: Parcel): Promise<DispatchResult> {
  const { orderId, effectKey: key } = call;
  const known = call.isRepeat ? await logistics.find(key) : 'not-found';
  if (known !== 'not-found' && (known.outcome === 'dispatched' || known.outcome === 'refused')) return known;
  return logistics.dispatch({ key, orderId, ...parcel });
}

async function failedShipment(
  world: Pick<World, 'orders'>,
  call: StepCall,
  failure: Parcel & { readonly code: string },
) {
  const { orderId } = call;
  await tellOrder(world, call, { what: 'failed', command: { type: 'RecordShipmentFailed', orderId, ...failure } });
  return stuck(failure.code, `shipment ${failure.shipmentId} failed after dispatch had begun`);
}

function parcelOf({ results }: StepCall): Parcel {
  const booked = results['book'];
  return { shipmentId: resultOf(booked, 'shipmentId'), providerId: resultOf(booked, 'bookingId') };
}
