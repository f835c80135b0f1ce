import { orderIdOf, type CommandId, type TenantId } from '../../schemas/ids.ts';

type Welcomed = { readonly url: string; readonly simulatorUrls: Readonly<Record<string, string>> };

/** What a person reads after `npm start`: where it is, and two commands that work as they stand. */
export function welcome({ url, simulatorUrls }: Welcomed, dataDir: string): string {
  const key = 'first-order';
  const order = {
    customerId: 'ada',
    currency: 'EUR',
    lines: [{ sku: 'tea-100g', quantity: 2, unitPrice: 450 }],
    payments: [{ method: 'card', token: 'tok_visa' }],
  };
  // An order's id follows from its key, so it is known before it is placed.
  const orderId = orderIdOf('default' as TenantId, key as CommandId);
  const simulators = Object.entries(simulatorUrls).map(
    ([name, simulator]) => `  ${`${name} simulator`.padEnd(20)} ${simulator}`,
  );
  return [
    `order-center is ready.`,
    `  ${'orders'.padEnd(20)} ${url}/v1/orders`,
    `  ${'API'.padEnd(20)} ${url}/openapi.json`,
    `  ${'health, metrics'.padEnd(20)} ${url}/readyz ${url}/metrics`,
    ...simulators,
    `  ${'data'.padEnd(20)} ${dataDir}`,
    '',
    'Place an order (repeat it: the same answer, no second order):',
    `  curl -s ${url}/v1/orders -H 'Content-Type: application/json' -H 'Idempotency-Key: ${key}' -d '${JSON.stringify(order)}'`,
    '',
    'See what happened to it:',
    `  curl -s ${url}/v1/orders/${orderId}/events`,
    '',
    'Ctrl-C drains and stops.',
  ].join('\n');
}
