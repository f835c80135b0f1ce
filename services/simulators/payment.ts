import { Type } from 'typebox';
import type { PaymentEntry } from '../../infra/payments/gateway.ts';
import { memoryPayments } from '../../infra/payments/memory.ts';
import type { Simulator } from './server.ts';
import { amount, body, currency, id, key, label } from './shapes.ts';
import { startSimulator, type Kind, type StartOptions } from './start.ts';

/**
 * A payment gateway over real HTTP with the promises of `infra/payments/port.ts`. Its ledger is
 * `simulators/payments.jsonl`, one line (a PaymentEntry) an effect, on disk before the answer; a repeated key adds none.
 * The card token `tok_declined` is declined.
 */
export function startPaymentSimulator(options: StartOptions): Promise<Simulator> {
  return startSimulator(paymentGateway, options);
}

const effect = { key, orderId: id, paymentId: id };
const money = { amount, currency };

const paymentGateway: Kind<PaymentEntry> = {
  file: 'payments.jsonl',
  serve: ({ faults, entries, record }) => {
    const decline = ({ orderId, op }: { orderId: string; op: string }) => faults.decline(orderId, op);
    const { find, ...payments } = memoryPayments({ decline, entries, record });
    return {
      find,
      operations: {
        authorize: {
          body: body({ ...effect, ...money, method: label, token: Type.Optional(label) }),
          run: payments.authorize,
        },
        capture: { body: body({ ...effect, ...money, authorizationId: id }), run: payments.capture },
        void: { body: body({ ...effect, effectKey: key }), run: payments.void },
        refund: { body: body({ ...effect, ...money, captureId: id }), run: payments.refund },
      },
    };
  },
};
