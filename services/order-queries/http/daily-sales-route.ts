import { Type } from 'typebox';
import type { HttpApp } from '../../../infra/http-server/app.ts';
import { jsonAnswer, tenantHeader } from '../../../infra/http-server/documented.ts';
import { RequestRefused, rejectionParts, sendProblem } from '../../../infra/http-server/problem.ts';
import { problems } from '../../../infra/http-server/problem-schema.ts';
import { readTenant } from '../../../infra/http-server/request-headers.ts';
import type { OrderQueries } from '../order-queries.ts';

const limitDefault = 50;
const limitMax = 200;

const day = (description: string) => Type.Optional(Type.String({ format: 'date', description }));

const query = Type.Object(
  {
    from: day('The first day, YYYY-MM-DD in UTC.'),
    to: day('The last day, inclusive.'),
    currency: Type.Optional(Type.String({ format: 'iso-4217', description: 'Only this one.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: limitMax, description: `${limitDefault} if absent.` })),
    cursor: Type.Optional(
      Type.String({ minLength: 1, maxLength: 2_000, description: 'nextCursor of the page before.' }),
    ),
  },
  { additionalProperties: false },
);

const amount = (description: string) => Type.Integer({ description: `${description} Minor units.` });
const count = (description: string) => Type.Integer({ minimum: 0, description });

const page = Type.Object({
  items: Type.Array(
    Type.Object({
      day: Type.String({ description: 'YYYY-MM-DD in UTC; `unknown`: history that nobody knows the time of.' }),
      currency: Type.String({ format: 'iso-4217' }),
      orders: count('Placed on that day.'),
      units: count('Of their lines.'),
      placed: amount('Totals of the orders placed.'),
      amended: amount('What amendments added to totals, or took away.'),
      captured: amount('Taken on that day.'),
      refunded: amount('Paid back on that day.'),
      net: amount('captured - refunded.'),
    }),
  ),
  nextCursor: Type.Union([Type.String(), Type.Null()], { description: 'null: this was the last page.' }),
  asOf: Type.Object(
    {
      lagMs: Type.Integer({ minimum: 0 }),
      projection: Type.String(),
      parked: Type.Boolean({ description: 'Events of some order wait for a repair: any sum may lack something.' }),
    },
    { description: 'How old the sums may be.' },
  ),
});

const example = {
  items: [
    {
      ...{ day: '2026-11-23', currency: 'EUR', orders: 2, units: 5, placed: 9_980, amended: 0 },
      ...{ captured: 9_980, refunded: 490, net: 9_490 },
    },
  ],
  nextCursor: null,
  asOf: { lagMs: 0, projection: 'daily-sales@1', parked: false },
};

/** What each day sold. A fact counts on the day when it happened, whenever its order was placed. */
export function dailySalesRoute(app: HttpApp, queries: OrderQueries): void {
  app.get(
    '/v1/reports/daily-sales',
    {
      schema: {
        operationId: 'getDailySales',
        summary: 'Sales by day and currency, newest day first',
        description: 'Facts count on the day when they happened, in UTC. The `unknown` day comes last, and only without from and to.', // prettier-ignore
        tags: ['reports'],
        headers: tenantHeader,
        querystring: query,
        response: {
          200: jsonAnswer('A page.', page, { example }),
          ...problems('INVALID_TENANT', 'INVALID_CURSOR', 'VIEWS_UNAVAILABLE'),
        },
      },
    },
    async (request, reply) => {
      const { limit = limitDefault, cursor, ...filters } = request.query;
      const { from, to } = filters;
      if (from !== undefined && to !== undefined && from > to) {
        const fault = { pointer: '/from', detail: 'is after to', in: 'query' } as const;
        throw new RequestRefused('INVALID_REQUEST', 'See errors[].', [fault]);
      }
      const answer = await queries.dailySales(readTenant(request), filters, { limit, cursor });
      if (answer.outcome === 'rejected') {
        return sendProblem(reply, answer.rejection.code, rejectionParts(answer.rejection));
      }
      const { items, nextCursor, asOf } = answer;
      return reply
        .header('content-type', 'application/json; charset=utf-8')
        .send(JSON.stringify({ items, nextCursor, asOf }));
    },
  );
}
