import { derivedId, fulfillmentStream } from '../../../schemas/ids.ts';
import { askGateway, type WithPayments } from './ask-gateway.ts';
import { askOrder, stuck, tellOrder, type StepCall, type StepOutcome } from './step.ts';

export type CaptureToRefund = { readonly paymentId: string; readonly captureId: string; readonly amount: number };

/**
 * Pays one capture back: the order reserves the amount, the gateway pays, the order is told.
 * @returns null when it is paid back, else why an operator must look
 */
export async function refundCapture(
  world: WithPayments,
  call: StepCall,
  capture: CaptureToRefund,
): Promise<StepOutcome | null> {
  const { orderId, order } = call;
  const { paymentId, captureId, amount } = capture;
  if (amount === 0) return null;
  const { currency } = order;
  const refundId = derivedId(fulfillmentStream(orderId), `${call.step}/${call.attempt}/refund/${paymentId}`);
  const reason = call.reason ?? 'payment_failed';
  const request = { type: 'RequestRefund', orderId, refundId, paymentId, amount, reason } as const;
  const reserved = await askOrder(world, call, { what: `refund-request/${paymentId}`, command: request });
  if (reserved.outcome === 'rejected')
    return stuck(reserved.rejection.code, `the order refused the refund ${refundId}`);

  const key = call.direction === 'undo' ? `${call.effectKey}/${paymentId}` : `${call.effectKey}/${paymentId}/refund`;
  const answer = await askGateway(world, call, {
    paymentId,
    operation: 'refund',
    key,
    ask: (payments) => payments.refund({ key, orderId, paymentId, amount, currency, captureId }),
  });
  const fact = { orderId, paymentId, refundId };
  if (answer.outcome === 'declined') {
    const command = { type: 'RecordRefundFailed', ...fact, providerId: key, code: answer.code } as const;
    await tellOrder(world, call, { what: `refund-failed/${paymentId}`, command });
    return stuck(answer.code, `payment ${paymentId} cannot be refunded`);
  }
  const { providerId } = answer;
  const command = { type: 'RecordPaymentRefunded', ...fact, providerId, amount, currency } as const;
  await tellOrder(world, call, { what: `refunded/${paymentId}`, command });
  return null;
}
