/** What /openapi.json says of the whole. */
export const apiDescription = {
  title: 'order-center',
  version: '1.0.0',
  description:
    'An event-sourced order backend: publish commands, get one durable answer to each, read orders fresh, question the whole history.',
  tags: [
    { name: 'orders', description: 'Place, cancel and read orders.' },
    { name: 'stock', description: 'What is on hand, reserved and available.' },
    { name: 'commands', description: 'What became of a command.' },
    { name: 'events', description: "The analysts' feed." },
    { name: 'reports', description: 'Sums over many orders.' },
    { name: 'operations', description: 'Health, metrics and this document.' },
  ],
} as const;
