import { Type, type TSchema } from 'typebox';
import type { HttpApp, HttpReply, Routes } from '../../../infra/http-server/app.ts';
import { commandHeaders, jsonAnswer, noQuery } from '../../../infra/http-server/documented.ts';
import { RequestRefused, sendProblem } from '../../../infra/http-server/problem.ts';
import { problems, shareSchemas } from '../../../infra/http-server/problem-schema.ts';
import { readIdempotencyKey } from '../../../infra/http-server/request-headers.ts';
import { recordedEventShape } from '../../../schemas/order-shapes.ts';
import type { OrderId, StreamName } from '../../../schemas/ids.ts';
import type { Acted, ActPage, ParkedPlace, ParkingDesk } from '../parking.ts';
import {
  groupExample,
  listedParking,
  parkedGroupShape,
  parkedStreamShape,
  placeExample,
  projectionName,
  selection,
  shownExample,
  shownParking,
  streamExample,
  toGroup,
  toPlace,
  toShownEvent,
  toStream,
} from './parking-shapes.ts';

const json = 'application/json; charset=utf-8';
const listLimitDefault = 50;
const listLimitMax = 200;
/** A drain reads a stream, folds it and waits its turn: some hundred within a request's time. */
const actLimitDefault = 50;
const actLimitMax = 200;
const shownEventsMax = 500;

const limit = (most: number, standard: number): TSchema =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: most, description: `${standard} if absent.` }));

/** What an operator does about orders that a projection parked. */
export function parkingRoutes(desk: ParkingDesk): Routes {
  return (app) => {
    shareSchemas(app, [parkedStreamShape, parkedGroupShape, recordedEventShape]);
    listRoute(app, desk);
    showRoute(app, desk);
    actRoute(app, {
      path: '/v1/admin/parking/drain',
      operationId: 'drainParking',
      summary: 'Fold what is parked with the code of today',
      description:
        'In the order of the store, each stream in one transaction. `parked`: it still cannot be folded. One that was discarded is drained only where its order is named. Sent twice, it finds what is left.',
      outcomes: ['drained', 'parked', 'gone'],
      needsSelection: false,
      act: (page) => desk.drain(page),
    });
    actRoute(app, {
      path: '/v1/admin/parking/discard',
      operationId: 'discardParking',
      summary: 'Give up what is parked',
      description:
        'The waiting events are forgotten and later ones are not noted; the view stays as it is and goes on saying `parked`, until its order is drained or the projection is rebuilt. At least one of projection, fingerprint and orderId is needed.',
      outcomes: ['discarded', 'gone'],
      needsSelection: true,
      act: (page) => desk.discard(page),
    });
  };
}

function listRoute(app: HttpApp, desk: ParkingDesk): void {
  app.get(
    '/v1/admin/parking',
    {
      schema: {
        operationId: 'listParking',
        summary: 'What is parked, by error and by stream',
        description: 'Of all tenants. `groups` are all there are, whatever the filters; `items` are a page.',
        tags: ['operations'],
        querystring: Type.Object(
          {
            ...selection,
            limit: Type.Optional(
              Type.Integer({ minimum: 1, maximum: listLimitMax, description: `${listLimitDefault} if absent.` }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: jsonAnswer('Groups, and a page of streams.', listedParking, {
            example: { groups: [groupExample], items: [streamExample], nextCursor: null },
          }),
          ...problems('INVALID_CURSOR', 'VIEWS_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const page = pageOf(request.query, request.query.limit ?? listLimitDefault);
      const [groups, { items, next }] = await Promise.all([desk.groups(), desk.list(page)]);
      return send(reply, { groups: groups.map(toGroup), items: items.map(toStream), nextCursor: toCursor(next) });
    },
  );
}

function showRoute(app: HttpApp, desk: ParkingDesk): void {
  app.get(
    '/v1/admin/parking/:projection/:stream',
    {
      schema: {
        operationId: 'showParking',
        summary: 'One parked stream and its events',
        description: `The first ${shownEventsMax} that wait, sealed fields closed.`,
        tags: ['operations'],
        params: Type.Object({
          projection: projectionName,
          stream: Type.String({ minLength: 1, maxLength: 300, description: 'Percent-encoded.' }),
        }),
        querystring: noQuery,
        response: {
          200: jsonAnswer('The stream and what waits.', shownParking, { example: shownExample }),
          ...problems('NOT_PARKED', 'VIEWS_UNAVAILABLE', 'STORE_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const { projection, stream } = request.params as { readonly projection: string; readonly stream: string };
      const shown = await desk.show({ projection, stream: stream as StreamName }, shownEventsMax);
      if (shown === null) return sendProblem(reply, 'NOT_PARKED');
      return send(reply, { parked: toStream(shown.parked), items: shown.events.map(toShownEvent) });
    },
  );
}

type ActRoute = {
  readonly path: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly outcomes: readonly string[];
  readonly needsSelection: boolean;
  readonly act: (page: ActPage) => Promise<Acted<string>>;
};

function actRoute(app: HttpApp, { path, needsSelection, outcomes, act, ...described }: ActRoute): void {
  const done = Type.Object({
    items: Type.Array(
      Type.Object({
        projection: projectionName,
        stream: Type.String(),
        orderId: Type.Union([Type.String({ format: 'uuid' }), Type.Null()]),
        outcome: Type.Enum([...outcomes]),
      }),
    ),
    nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'Where to go on; null: nothing is left.' }),
  });
  const example = { items: [{ ...placeExample, outcome: outcomes[0] }], nextCursor: null };
  app.post(
    path,
    {
      schema: {
        ...described,
        tags: ['operations'],
        headers: { type: 'object', properties: { 'idempotency-key': commandHeaders.properties['idempotency-key'] } },
        querystring: noQuery,
        body: Type.Object(
          { ...selection, limit: limit(actLimitMax, actLimitDefault) },
          { additionalProperties: false, examples: [{ orderId: placeExample.orderId }] },
        ),
        response: {
          200: jsonAnswer('What became of each.', done, { example }),
          ...problems(...actCodes),
        },
      },
    },
    async (request, reply) => {
      readIdempotencyKey(request);
      const body = request.body as PageQuery & { readonly limit?: number };
      const page = pageOf(body, body.limit ?? actLimitDefault);
      if (needsSelection && Object.values(page.selection).every((value) => value === undefined)) {
        throw new RequestRefused('INVALID_REQUEST', 'Name at least one of projection, fingerprint and orderId.');
      }
      const { items, next } = await act(page);
      return send(reply, { items: items.map(toPlace), nextCursor: toCursor(next) });
    },
  );
}

const actCodes = [
  'MALFORMED_JSON',
  'INVALID_VALUE',
  'INVALID_CURSOR',
  'IDEMPOTENCY_KEY_REQUIRED',
  'IDEMPOTENCY_KEY_INVALID',
  'PAYLOAD_TOO_LARGE',
  'UNSUPPORTED_MEDIA_TYPE',
  'CHECKPOINT_MOVED',
  'STORE_UNAVAILABLE',
  'VIEWS_UNAVAILABLE',
] as const;

type PageQuery = {
  readonly projection?: string;
  readonly fingerprint?: string;
  readonly orderId?: string;
  readonly cursor?: string;
};

function pageOf({ projection, fingerprint, orderId, cursor }: PageQuery, most: number): ActPage {
  const selected = { projection, fingerprint, orderId: orderId?.toLowerCase() as OrderId | undefined };
  return { selection: selected, after: cursor === undefined ? undefined : fromCursor(cursor), limit: most };
}

function toCursor(place: ParkedPlace | null): string | null {
  return place === null ? null : Buffer.from(`${place.projection}/${place.stream}`).toString('base64url');
}

function fromCursor(cursor: string): ParkedPlace {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, projection, stream] = /^([a-z-]{1,60})\/([\x21-\x7e]{1,300})$/.exec(text) ?? [];
  if (projection === undefined || stream === undefined) {
    throw new RequestRefused('INVALID_CURSOR', 'Use nextCursor as it was given.');
  }
  return { projection, stream: stream as StreamName };
}

function send(reply: HttpReply, body: object): HttpReply {
  return reply.header('content-type', json).header('cache-control', 'no-store').send(JSON.stringify(body));
}
