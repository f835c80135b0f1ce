import { Type, type Static, type TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import { requestJson, unreadableAnswer } from '../../resilience/request-json.ts';
import type { Logistics, LogisticsCall } from '../port.ts';

/** A carrier over HTTP: POST `<url>/v1/<operation>` with the request as JSON, GET `<url>/v1/results?key=`. */
export function httpLogistics(url: string): Logistics {
  const base = url.endsWith('/') ? url : `${url}/`;
  const post =
    <Shape extends TSchema>(operation: string, isAnswer: AnswerCheck<Shape>) =>
    async (request: object, call?: LogisticsCall): Promise<Static<Shape>> => {
      const address = new URL(`v1/${operation}`, base);
      const answer = await requestJson({ url: address, body: request, signal: call?.signal });
      if (!isAnswer(answer)) throw unreadableAnswer(address);
      return answer;
    };
  return {
    book: post('book', isBooking),
    cancelBooking: post('cancelBooking', isCancellation),
    dispatch: post('dispatch', isDispatch),
    delivery: post('delivery', isDelivery),
    find: async (key, call) => {
      const address = new URL(`v1/results?key=${encodeURIComponent(key)}`, base);
      const answer = await requestJson({ url: address, signal: call?.signal });
      if (isNotFound(answer)) return 'not-found';
      if (isBooking(answer) || isCancellation(answer) || isDispatch(answer)) return answer;
      throw unreadableAnswer(address);
    },
  };
}

type AnswerCheck<Shape extends TSchema> = (answer: unknown) => answer is Static<Shape>;

function answerCheck<Shape extends TSchema>(shape: Shape): AnswerCheck<Shape> {
  const compiled = Compile(shape);
  return (answer): answer is Static<Shape> => compiled.Check(answer);
}

const text = Type.String({ minLength: 1 });
const time = Type.String({ pattern: '^\\d{4}-\\d{2}-\\d{2}T[\\d:.]+Z$' });
const refused = Type.Object({ outcome: Type.Literal('refused'), code: text });
const booked = Type.Object({
  outcome: Type.Literal('booked'),
  providerId: text,
  carrier: text,
  trackingNumber: text,
});

const isBooking = answerCheck(Type.Union([booked, refused]));
const isCancellation = answerCheck(Type.Union([Type.Object({ outcome: Type.Literal('cancelled') }), refused]));
const isDispatch = answerCheck(Type.Union([Type.Object({ outcome: Type.Literal('dispatched'), at: time }), refused]));
const isDelivery = answerCheck(
  Type.Union([
    Type.Object({ outcome: Type.Literal('delivered'), at: time }),
    Type.Object({ outcome: Type.Literal('in-transit') }),
    Type.Object({ outcome: Type.Literal('failed'), code: text }),
  ]),
);
const isNotFound = answerCheck(Type.Object({ outcome: Type.Literal('not-found') }));
