import { randomUUID } from 'node:crypto';
import autocannon from 'autocannon';

import { serve } from '../child-process.ts';

/** `whole`: as a checkout sends it, with a card token, an address and an email; `plain`: what every order has. */
export type OrderBody = 'plain' | 'whole';
export type LoadRequest = {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly body: OrderBody;
  /** Requests a second over all connections; absent: as fast as they are answered. */
  readonly rate?: number;
};
export type LoadAnswer = {
  readonly answered: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
};

async function push({ url, connections, seconds, body, rate }: LoadRequest): Promise<LoadAnswer> {
  const result = await autocannon({
    url,
    connections,
    duration: seconds,
    ...(rate === undefined ? {} : { overallRate: rate }),
    requests: [
      {
        method: 'POST',
        path: '/v1/orders',
        setupRequest: (request) => ({
          ...request,
          headers: { ...request.headers, 'content-type': 'application/json', 'idempotency-key': randomUUID() },
          body: JSON.stringify(newOrder(body)),
        }),
      },
    ],
  });
  const answered = result['2xx'];
  const wrong = result.non2xx + result.errors + result.timeouts;
  if (wrong > 0 || answered === 0)
    throw new Error(`${wrong} of ${answered + wrong} placements were not answered with 201`);
  return { answered, seconds: result.duration, p50Ms: result.latency.p50, p99Ms: result.latency.p99 };
}

function newOrder(body: OrderBody): object {
  const plain = {
    customerId: randomUUID(),
    currency: 'EUR',
    lines: [
      { sku: 'SKU-1042', quantity: 2, unitPrice: 1_999 },
      { sku: 'SKU-2077', quantity: 1, unitPrice: 4_550 },
    ],
    shippingFee: 499,
    payments: [{ method: 'card' }],
  };
  return body === 'plain' ? plain : { ...plain, payments: [{ method: 'card', token: 'tok_visa' }], ...personal };
}

const personal = {
  email: 'ada@example.com',
  shippingAddress: {
    name: 'Ada Example',
    line1: 'Example Street 12',
    city: 'Hamburg',
    postalCode: '20095',
    country: 'DE',
  },
};

serve(push, () => Promise.resolve());
