import { isOperationalFailure } from '../../../infra/failures.ts';
import { authorizationKey, heldPayments } from './authorize-payment.ts';
import { askGateway, type WithPayments } from './ask-gateway.ts';
import { refundCapture } from './refund-capture.ts';
import { refused, resultOf, succeeded, tellOrder, type SagaStep, type StepCall, type StepOutcome } from './step.ts';

type Capture = { readonly paymentId: string; readonly captureId: string; readonly amount: number };

/**
 * Takes what was held. Where one capture is declined, those before it are paid back. Undo pays all back; what the
 * customer paid by himself is the undo of `collect`.
 */
export function capturePayment(world: WithPayments): SagaStep {
  return {
    name: 'capture',
    run: async (call) => {
      const captures: Capture[] = [];
      for (const { paymentId, amount } of heldPayments(call)) {
        const answer = await capture(world, call, { paymentId, amount }).catch(async (error: unknown) => {
          if (isOperationalFailure(error, 'DEPENDENCY_REFUSED')) await refundAll(world, call, captures);
          throw error;
        });
        if (answer.outcome === 'declined') {
          const providerId = `${call.effectKey}/${paymentId}`;
          const { orderId } = call;
          const command = { type: 'RecordPaymentFailed', orderId, paymentId, providerId, code: answer.code } as const;
          await tellOrder(world, call, { what: `failed/${paymentId}`, command });
          return (await refundAll(world, call, captures)) ?? refused(answer.code);
        }
        captures.push({ paymentId, amount, captureId: answer.providerId });
      }
      return succeeded(Object.fromEntries(captures.map((each) => [captureKey(each.paymentId), each.captureId])));
    },
    undo: async (call) => {
      const captures = heldPayments(call).map(({ paymentId, amount }) => ({
        paymentId,
        amount,
        captureId: resultOf(call.undoes?.result, captureKey(paymentId)),
      }));
      return (await refundAll(world, call, captures)) ?? succeeded();
    },
  };
}

async function capture(
  world: WithPayments,
  call: StepCall,
  { paymentId, amount }: { readonly paymentId: string; readonly amount: number },
) {
  const { orderId, order } = call;
  const { currency } = order;
  const key = `${call.effectKey}/${paymentId}`;
  const authorizationId = resultOf(call.results['authorize'], authorizationKey(paymentId));
  const answer = await askGateway(world, call, {
    paymentId,
    operation: 'capture',
    key,
    ask: (payments) => payments.capture({ key, orderId, paymentId, amount, currency, authorizationId }),
  });
  if (answer.outcome === 'succeeded') {
    const { providerId } = answer;
    const command = { type: 'RecordPaymentCaptured', orderId, paymentId, providerId, amount, currency } as const;
    await tellOrder(world, call, { what: `captured/${paymentId}`, command });
  }
  return answer;
}

async function refundAll(
  world: WithPayments,
  call: StepCall,
  captures: readonly Capture[],
): Promise<StepOutcome | null> {
  for (const each of [...captures].reverse()) {
    const trouble = await refundCapture(world, call, each);
    if (trouble !== null) return trouble;
  }
  return null;
}

function captureKey(paymentId: string): string {
  return `capture:${paymentId}`;
}
