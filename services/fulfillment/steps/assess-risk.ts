import type { World } from '../ports.ts';
import { refused, succeeded, type SagaStep } from './step.ts';

/**
 * Nothing is held for an order that the risk service rejects. There is nothing to undo.
 * @param name `risk:<version>` for an order that was amended to that version
 */
export function assessRisk({ risk }: Pick<World, 'risk'>, name = 'risk'): SagaStep {
  return {
    name,
    run: async ({ orderId, order, effectKey }) => {
      const { customerId, total, currency } = order;
      const verdict = await risk.assess({ key: effectKey, orderId, customerId, amount: total, currency });
      return verdict.outcome === 'accepted' ? succeeded() : refused(verdict.code);
    },
    undo: () => Promise.resolve(succeeded()),
  };
}
