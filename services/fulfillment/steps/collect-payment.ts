import { collectStep } from '../saga-advance.ts';
import type { WithPayments } from './ask-gateway.ts';
import { refundCapture } from './refund-capture.ts';
import { resultOf, succeeded, type SagaStep } from './step.ts';

/**
 * A payment that the customer made by himself. It succeeds when the order tells that it is captured, so there is
 * nothing to run; its undo is a refund, also where the money came after the end.
 */
export function collectPayment(world: WithPayments, paymentId: string): SagaStep {
  return {
    name: collectStep(paymentId),
    run: () => Promise.reject(new Error('a payment made later cannot be run')),
    undo: async (call) => {
      const captureId = resultOf(call.undoes?.result, 'captureId');
      const amount = Number(resultOf(call.undoes?.result, 'amount'));
      return (await refundCapture(world, call, { paymentId, captureId, amount })) ?? succeeded();
    },
  };
}
