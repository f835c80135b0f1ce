import { orderIdOfStream } from '../../../../schemas/ids.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

/** An authorization counts even where it was voided later. */
export const moneyMoves: Invariant = {
  id: 'I23',
  statement: 'Of each order 0 <= refunded <= captured <= authorized, in one currency.',
  check: () => {
    const orders = new Map<string, Account>();
    const violations = noViolations();
    const accountOf = (orderId: string, currency: string): Account => {
      const known = orders.get(orderId) ?? { currency, authorized: 0, captured: 0, refunded: 0 };
      orders.set(orderId, known);
      if (known.currency !== currency) violations.add(`order ${orderId} has ${known.currency} and ${currency}`);
      return known;
    };
    return {
      see: (event) => {
        if (orderIdOfStream(event.stream) === null) return;
        switch (event.type) {
          case 'OrderPlaced':
            accountOf(event.data.orderId, event.data.currency);
            return;
          case 'PaymentAuthorized':
            accountOf(event.data.orderId, event.data.currency).authorized += event.data.amount;
            return;
          case 'PaymentCaptured':
            accountOf(event.data.orderId, event.data.currency).captured += event.data.amount;
            return;
          case 'PaymentRefunded':
            accountOf(event.data.orderId, event.data.currency).refunded += event.data.amount;
            return;
          default:
            // Other events move no money.
            return;
        }
      },
      finish: () => {
        for (const [orderId, { authorized, captured, refunded }] of orders) {
          const holds = 0 <= refunded && refunded <= captured && captured <= authorized;
          const amounts = `authorized ${authorized}, captured ${captured}, refunded ${refunded}`;
          if (!holds) violations.add(`order ${orderId}: ${amounts}`);
        }
        return { checked: orders.size, violations };
      },
    };
  },
};

type Account = { readonly currency: string; authorized: number; captured: number; refunded: number };
