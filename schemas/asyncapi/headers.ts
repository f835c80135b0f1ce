const text = (description: string, example: string) => ({ type: 'string', description, examples: [example] });
const time = (description: string) => ({
  type: 'string',
  format: 'date-time',
  description,
  examples: ['2026-11-23T10:00:01.000Z'],
});

const contentType = { type: 'string', const: 'application/avro', description: 'What the value is, behind its frame.' };

/** Headers are texts in UTF-8. */
export const headerSchemas = {
  EventHeaders: {
    type: 'object',
    description:
      'The envelope: CloudEvents 1.0 in binary mode of its Kafka binding, and where the event stands in the log.',
    required: [
      'ce_specversion',
      'ce_id',
      'ce_source',
      'ce_type',
      'ce_subject',
      'ce_sequence',
      'ce_recordedtime',
      'ce_schemaversion',
      'ce_tenantid',
      'ce_origin',
      'ce_commandid',
      'ce_correlationid',
      'position',
      'epoch',
    ],
    properties: {
      'content-type': contentType,
      ce_specversion: { type: 'string', const: '1.0' },
      ce_id: text('The event; a repeat has the same.', '019ab2c3-7d4e-7f00-8a11-5b6c7d8e9f00'),
      ce_source: { type: 'string', const: '/order-center' },
      ce_type: text('Past tense, never renamed.', 'OrderPlaced'),
      ce_subject: text('The stream.', 'order-b1230187-2359-5e53-908a-0ba472029fc7'),
      ce_sequence: text('The revision in its stream: 0, 1, 2 …; drop what you have seen.', '0'),
      ce_time: time('When it happened; absent where nobody knows.'),
      ce_recordedtime: time("When it was recorded, by the store's clock."),
      ce_schemaversion: text('The version of its schema.', '1'),
      ce_tenantid: text('Whose it is.', 'default'),
      ce_origin: { type: 'string', enum: ['live', 'backfill'], description: 'backfill: imported history.' },
      ce_commandid: text('The command that it came of.', 'checkout-1'),
      ce_correlationid: text('What it belongs to.', '4bf92f3577b34da6a3ce929d0e0e4736'),
      ce_causationid: text(
        'The event that caused the command; absent where a door did.',
        '019ab2c3-7d4e-7f00-8a11-5b6c7d8e9eff',
      ),
      position: text("Its place in the store's log: opaque.", '3f0c1d2e.812.1'),
      epoch: text('The store that it is of: after a restore it is another.', '3f0c1d2e-0000-4000-8000-000000000001'),
    },
  },
  CommandHeaders: {
    type: 'object',
    description: 'What is no part of the payload, as on HTTP.',
    required: ['command-id'],
    properties: {
      'content-type': contentType,
      'command-id': {
        ...text('1 to 255 visible ASCII characters; a repeat with it has no second effect.', 'checkout-1'),
        pattern: '^[\\x21-\\x7e]{1,255}$',
      },
      'tenant-id': {
        ...text('default where it is absent.', 'default'),
        pattern: '^[A-Za-z0-9_-]{1,64}$',
      },
    },
  },
} as const;
