import { isOperationalFailure } from '../../../infra/failures.ts';
import type { PaymentResult, Payments } from '../../../infra/payments/port.ts';
import type { World } from '../ports.ts';
import { tellOrder, type StepCall } from './step.ts';

export type WithPayments = Pick<World, 'payments' | 'orders'>;

export type GatewayQuestion = {
  readonly paymentId: string;
  readonly operation: 'authorize' | 'capture' | 'void' | 'refund';
  /** Of this payment: the attempt's key and the payment. */
  readonly key: string;
  readonly ask: (payments: Payments) => Promise<PaymentResult>;
};

/**
 * Asks the gateway so that it acts once under a key: a repeated attempt first asks what became of it. Where no answer
 * comes, the order is told that the outcome is unknown, and the failure is thrown for the saga to try again.
 */
export async function askGateway(
  world: WithPayments,
  call: StepCall,
  question: GatewayQuestion,
): Promise<PaymentResult> {
  try {
    const known = call.isRepeat ? await world.payments.find(question.key) : 'not-found';
    return known === 'not-found' ? await question.ask(world.payments) : known;
  } catch (error) {
    if (isOutcomeUnknown(error)) await tellUnknown(world, call, question);
    throw error;
  }
}

function isOutcomeUnknown(error: unknown): boolean {
  return isOperationalFailure(error, 'DEPENDENCY_TIMEOUT') || isOperationalFailure(error, 'DEPENDENCY_FAILED');
}

async function tellUnknown(world: WithPayments, call: StepCall, question: GatewayQuestion): Promise<void> {
  const { paymentId, operation, key } = question;
  const command = {
    type: 'RecordPaymentOutcomeUnknown',
    orderId: call.orderId,
    paymentId,
    providerId: key,
    operation,
  } as const;
  await tellOrder(world, call, { what: `unknown/${operation}/${paymentId}`, command });
}
