import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { requestJson, unreadableAnswer } from '../../resilience/request-json.ts';
import type { PaymentCall, Payments } from '../port.ts';

/** A gateway over HTTP: POST `<url>/v1/<operation>` with the request as JSON, GET `<url>/v1/results?key=`. */
export function httpPayments(url: string): Payments {
  const base = url.endsWith('/') ? url : `${url}/`;
  const post = (operation: string) => async (request: object, call?: PaymentCall) => {
    const address = new URL(`v1/${operation}`, base);
    const answer = await requestJson({ url: address, body: request, signal: call?.signal });
    if (!resultShape.Check(answer)) throw unreadableAnswer(address);
    return answer;
  };
  return {
    authorize: post('authorize'),
    capture: post('capture'),
    void: post('void'),
    refund: post('refund'),
    find: async (key, call) => {
      const address = new URL(`v1/results?key=${encodeURIComponent(key)}`, base);
      const answer = await requestJson({ url: address, signal: call?.signal });
      if (notFoundShape.Check(answer)) return 'not-found';
      if (!resultShape.Check(answer)) throw unreadableAnswer(address);
      return answer;
    },
  };
}

const amount = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });
const resultShape = Compile(
  Type.Union([
    Type.Object({
      outcome: Type.Literal('succeeded'),
      providerId: Type.String({ minLength: 1 }),
      amount,
      currency: Type.String({ pattern: '^[A-Z]{3}$' }),
    }),
    Type.Object({ outcome: Type.Literal('declined'), code: Type.String({ minLength: 1 }) }),
  ]),
);
const notFoundShape = Compile(Type.Object({ outcome: Type.Literal('not-found') }));
