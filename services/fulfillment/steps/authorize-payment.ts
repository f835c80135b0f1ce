import { isOperationalFailure } from '../../../infra/failures.ts';
import { isPaidLater } from '../../../schemas/payment-methods.ts';
import type { World } from '../ports.ts';
import { askGateway, type WithPayments } from './ask-gateway.ts';
import { refused, stuck, succeeded, tellOrder, type SagaStep, type StepCall, type StepOutcome } from './step.ts';

type Payment = StepCall['order']['payments'][number];

/**
 * Holds the amount of every payment that the gateway can hold. Where one is declined, the holds before it are given
 * back. Undo gives all back; what was captured and refunded since has nothing to give.
 */
export function authorizePayment(world: WithPayments & Pick<World, 'tokens'>): SagaStep {
  return {
    name: 'authorize',
    run: async (call) => {
      const result: Record<string, string> = {};
      for (const payment of heldPayments(call)) {
        const answer = await authorize(world, call, payment).catch(async (error: unknown) => {
          // Nothing happened for this payment, and its next attempt has a new key: the holds of this one must go.
          if (isOperationalFailure(error, 'DEPENDENCY_REFUSED')) await voidAll(world, call, call.effectKey);
          throw error;
        });
        if (answer.outcome === 'declined') return declined(world, call, { paymentId: payment.paymentId, ...answer });
        result[authorizationKey(payment.paymentId)] = answer.providerId;
      }
      await world.tokens.remove(call.tenantId, call.orderId);
      return succeeded(result);
    },
    undo: async (call) => (await voidAll(world, call, call.undoes?.effectKey ?? call.effectKey)) ?? succeeded(),
  };
}

/** Payments that the gateway holds first and takes later; the customer makes the others by himself. */
export function heldPayments({ order }: StepCall): readonly Payment[] {
  return order.payments.filter((payment) => !isPaidLater(payment));
}

export function authorizationKey(paymentId: string): string {
  return `authorization:${paymentId}`;
}

async function authorize(world: WithPayments & Pick<World, 'tokens'>, call: StepCall, payment: Payment) {
  const { orderId, order } = call;
  const { paymentId, method, amount } = payment;
  const { currency } = order;
  const key = `${call.effectKey}/${paymentId}`;
  const token = await world.tokens.find(call.tenantId, orderId, paymentId);
  const request = { key, orderId, paymentId, amount, currency, method, ...(token === null ? {} : { token }) };
  const answer = await askGateway(world, call, {
    paymentId,
    operation: 'authorize',
    key,
    ask: (payments) => payments.authorize(request),
  });
  if (answer.outcome === 'succeeded') {
    const { providerId } = answer;
    const command = { type: 'RecordPaymentAuthorized', orderId, paymentId, providerId, amount, currency } as const;
    await tellOrder(world, call, { what: `authorized/${paymentId}`, command });
  }
  return answer;
}

async function declined(
  world: WithPayments & Pick<World, 'tokens'>,
  call: StepCall,
  { paymentId, code }: { readonly paymentId: string; readonly code: string },
): Promise<StepOutcome> {
  const { orderId, effectKey } = call;
  const providerId = `${effectKey}/${paymentId}`;
  const command = { type: 'RecordPaymentFailed', orderId, paymentId, providerId, code } as const;
  await tellOrder(world, call, { what: `failed/${paymentId}`, command });
  const trouble = await voidAll(world, call, effectKey);
  await world.tokens.remove(call.tenantId, orderId);
  return trouble ?? refused(code);
}

/** Gives every hold of a run back, last first; where the gateway never saw one, it will refuse it from now on. */
async function voidAll(world: WithPayments, call: StepCall, runKey: string): Promise<StepOutcome | null> {
  for (const { paymentId } of [...heldPayments(call)].reverse()) {
    const trouble = await voidOne(world, call, { paymentId, runKey });
    if (trouble !== null) return trouble;
  }
  return null;
}

async function voidOne(
  world: WithPayments,
  call: StepCall,
  { paymentId, runKey }: { readonly paymentId: string; readonly runKey: string },
): Promise<StepOutcome | null> {
  const { orderId } = call;
  const effectKey = `${runKey}/${paymentId}`;
  const key = call.direction === 'undo' ? `${call.effectKey}/${paymentId}` : `${effectKey}/void`;
  const answer = await askGateway(world, call, {
    paymentId,
    operation: 'void',
    key,
    ask: (payments) => payments.void({ key, orderId, paymentId, effectKey }),
  });
  if (answer.outcome === 'declined') {
    // It was captured, and the undo of the capture gave it back.
    return answer.code === 'ALREADY_CAPTURED' ? null : stuck(answer.code, `payment ${paymentId} cannot be voided`);
  }
  const { providerId, amount, currency } = answer;
  // A tombstone or a declined hold: there was nothing to give back, so there is nothing to tell.
  if (amount === 0) return null;
  const command = { type: 'RecordPaymentVoided', orderId, paymentId, providerId, amount, currency } as const;
  await tellOrder(world, call, { what: `voided/${paymentId}`, command });
  return null;
}
