import { Type } from 'typebox';
import { projections } from '../../../projections/all.ts';
import { eventExample } from '../../../schemas/order-shapes.ts';
import { schemaRef } from '../../../infra/http-server/problem-schema.ts';
import { fulfillment, type ListedStream, type ParkedGroup } from '../../../infra/read-store/parking.ts';
import { orderIdOfStream } from '../../../schemas/ids.ts';
import type { ParkedPlace, ShownEvent } from '../parking.ts';

const count = Type.Integer({ minimum: 0 });
const time = Type.String({ format: 'date-time' });
const orderIdOrNull = Type.Union([Type.String({ format: 'uuid' }), Type.Null()]);
const state = Type.Enum(['parked', 'discarded']);
const fingerprint = Type.String({ pattern: '^[0-9a-f]{12}$', description: 'The same error at the same place.' });

export const projectionName = Type.Enum([...projections.map(({ view }) => view.name), fulfillment], {
  description: '`fulfillment`: its saga is told nothing of the order until a drain.',
});

export const parkedStreamShape = Type.Object(
  {
    projection: projectionName,
    stream: Type.String(),
    orderId: orderIdOrNull,
    tenantId: Type.String(),
    state,
    fingerprint,
    error: Type.String({ description: 'Type and place in the code; never a message or a value.' }),
    firstRevision: Type.Integer({ minimum: 0, description: 'Of the event that could not be folded.' }),
    lastRevision: Type.Integer({ minimum: 0, description: 'Of the last event that waits.' }),
    events: Type.Integer({ minimum: 0, description: 'How many wait; 0 where they were discarded.' }),
    since: time,
    attempts: Type.Integer({ minimum: 0, description: 'Drains that failed.' }),
    lastAttemptAt: Type.Union([time, Type.Null()]),
  },
  { $id: 'ParkedStream', description: 'A stream that a projection left behind; its view is as it was before.' },
);

export const parkedGroupShape = Type.Object(
  {
    projection: projectionName,
    fingerprint,
    error: Type.String(),
    state,
    orders: count,
    events: count,
    since: Type.String({ format: 'date-time', description: 'Of the oldest.' }),
    example: Type.String({ description: 'One of the streams.' }),
  },
  { $id: 'ParkedGroup', description: 'What one error parked.' },
);

export const selection = {
  projection: Type.Optional(projectionName),
  fingerprint: Type.Optional(fingerprint),
  orderId: Type.Optional(
    Type.String({ format: 'uuid', description: 'The order itself and its fulfillment, in every projection.' }),
  ),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 400, description: 'nextCursor of the page before.' })),
};

export const listedParking = Type.Object({
  groups: Type.Array(schemaRef('ParkedGroup')),
  items: Type.Array(schemaRef('ParkedStream')),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
});

export const shownParking = Type.Object({
  parked: schemaRef('ParkedStream'),
  items: Type.Array(
    Type.Object({
      revision: count,
      eventId: Type.String({ format: 'uuid' }),
      position: Type.String(),
      type: Type.String(),
      event: Type.Union([schemaRef('RecordedEvent'), Type.Null()], {
        description: 'As the store has it, sealed fields closed; null: the store has no such event.',
      }),
    }),
  ),
});

const orderId = '0c8b3a1e-6f5d-5c2b-9a4e-1d2f3a4b5c6d';
const stream = `order-${orderId}`;
const error = 'TypeError at projections/order-summary/shipments.ts:41';

export const streamExample = {
  ...{ projection: 'order-summary', stream, orderId, tenantId: 'default', state: 'parked' },
  ...{ fingerprint: '5f1d0c9be2a7', error, firstRevision: 3, lastRevision: 4, events: 2 },
  ...{ since: '2026-11-24T10:00:00.000Z', attempts: 0, lastAttemptAt: null },
};

export const groupExample = {
  ...{ projection: 'order-summary', fingerprint: '5f1d0c9be2a7', error, state: 'parked', orders: 1, events: 2 },
  ...{ since: '2026-11-24T10:00:00.000Z', example: stream },
};

const { eventId, position, type } = eventExample as { eventId: string; position: string; type: string };
export const shownExample = { parked: streamExample, items: [{ revision: 3, eventId, position, type, event: null }] };

export const placeExample = { projection: 'order-summary', stream, orderId };

export function toStream({ consumer: projection, ...parked }: ListedStream): object {
  const { stream: name, tenantId, state: now, firstRevision, lastRevision, events } = parked;
  return {
    ...{ projection, stream: name, orderId: orderIdOfStream(name), tenantId, state: now },
    ...{ fingerprint: parked.fingerprint, error: parked.error, firstRevision, lastRevision, events },
    ...{ since: parked.since, attempts: parked.attempts, lastAttemptAt: parked.lastAttemptAt },
  };
}

export function toGroup({ consumer: projection, streams: orders, ...group }: ParkedGroup): object {
  return { projection, orders, ...group };
}

export function toShownEvent({ revision, eventId: id, position: place, type: name, event }: ShownEvent): object {
  return { revision, eventId: id, position: place, type: name, event };
}

export function toPlace(place: ParkedPlace): object {
  return { ...place, orderId: orderIdOfStream(place.stream) };
}
