import type { World } from '../ports.ts';
import { cancelOrder, expireOrder } from './ask-order.ts';
import { assessRisk } from './assess-risk.ts';
import { authorizePayment } from './authorize-payment.ts';
import { bookShipment } from './book-shipment.ts';
import { capturePayment } from './capture-payment.ts';
import { collectPayment } from './collect-payment.ts';
import { deliverShipment, dispatchShipment } from './dispatch-shipment.ts';
import { changeReservation, reserveStock } from './reserve-stock.ts';
import type { SagaStep } from './step.ts';

/** Every step, in the order of the way (`stepNames` in saga-advance.ts), and what the saga asks of the order. */
export function openSteps(world: World): readonly SagaStep[] {
  return [
    assessRisk(world),
    reserveStock(world),
    authorizePayment(world),
    bookShipment(world),
    capturePayment(world),
    dispatchShipment(world),
    deliverShipment(world),
    expireOrder(world),
    cancelOrder(world),
  ];
}

/** The step of a name in the saga's history. A name that no step has is a bug. */
export function stepNamed(world: World, steps: readonly SagaStep[], name: string): SagaStep {
  const step = steps.find((each) => each.name === name);
  if (step !== undefined) return step;
  const [kind, of] = name.split(':');
  if (of !== undefined) {
    if (kind === 'collect') return collectPayment(world, of);
    if (kind === 'risk') return assessRisk(world, name);
    if (kind === 'reserve') return changeReservation(world, Number(of));
  }
  throw new Error(`no step is named ${name}`);
}
