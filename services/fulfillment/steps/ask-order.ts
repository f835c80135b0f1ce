import type { World } from '../ports.ts';
import { askOrder, refused, stuck, succeeded, type SagaStep } from './step.ts';

type WithOrders = Pick<World, 'orders'>;

/** The payment did not come in time: the order decides whether that is so. Never undone. */
export function expireOrder(world: WithOrders): SagaStep {
  return {
    name: 'expire-order',
    run: async (call) => {
      const command = { type: 'ExpireOrder', orderId: call.orderId } as const;
      const answer = await askOrder(world, call, { what: 'expire', command });
      return answer.outcome === 'accepted' ? succeeded() : refused(answer.rejection.code);
    },
    undo: () => Promise.resolve(succeeded()),
  };
}

/** The saga gives the order up. Never undone. */
export function cancelOrder(world: WithOrders): SagaStep {
  return {
    name: 'cancel-order',
    run: async (call) => {
      const command = { type: 'CancelOrder', orderId: call.orderId, reason: call.reason ?? 'cancelled' } as const;
      const answer = await askOrder(world, call, { what: 'cancel', command });
      // The customer, or the expiry, was faster: it is ended all the same.
      if (answer.outcome === 'accepted' || answer.rejection.code === 'ORDER_CANCELLED') return succeeded();
      return stuck(answer.rejection.code, 'the order refused to be cancelled');
    },
    undo: () => Promise.resolve(succeeded()),
  };
}
