import { Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { requestJson, unreadableAnswer } from '../../resilience/request-json.ts';
import type { Risk } from '../port.ts';

/** A risk service over HTTP: POST `<url>/v1/assess` with the request as JSON. */
export function httpRisk(url: string): Risk {
  const address = new URL('v1/assess', url.endsWith('/') ? url : `${url}/`);
  return {
    assess: async (request, call) => {
      const answer = await requestJson({ url: address, body: request, signal: call?.signal });
      if (!resultShape.Check(answer)) throw unreadableAnswer(address);
      return answer;
    },
  };
}

const resultShape = Compile(
  Type.Union([
    Type.Object({ outcome: Type.Literal('accepted') }),
    Type.Object({ outcome: Type.Literal('rejected'), code: Type.String({ minLength: 1 }) }),
  ]),
);
