import type { ApiDescription } from '../../infra/http-server/openapi.ts';

/** What /openapi.json and docs/openapi.json say before the first route. */
export const apiDescription: ApiDescription = {
  title: 'order-center',
  version: '1.0.0',
  description:
    'Orders, stock and their events. Money is integer minor units. Every POST takes an Idempotency-Key of the ' +
    "caller's own: repeat it in a retry, and the first answer comes back. Errors are RFC 9457 problems with a stable " +
    'code; unknown fields and query parameters are refused.',
  tags: [
    { name: 'orders', description: 'Place, cancel, bring in history, read.' },
    { name: 'stock', description: 'Units of a SKU. One that never had a receipt is not tracked and never sells out.' },
    { name: 'events', description: 'The log, which all else is made from.' },
    { name: 'commands', description: 'What became of a command.' },
    { name: 'operations', description: 'For probes, dashboards and tools.' },
  ],
};
