import { Type } from 'typebox';
import type { HttpReply, HttpRequest } from './app.ts';

/** The query of every command route; another value than `true` is refused, because a misspelt wish must not be ignored. */
export const dryRunQuery = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Literal('true', {
        description:
          'Answers with the status and body that the command would get now, plus `Dry-Run: true`; nothing is stored, and the key stays free.',
      }),
    ),
  },
  { additionalProperties: false },
);

export function isDryRun({ query }: Pick<HttpRequest, 'query'>): boolean {
  return (query as { readonly dryRun?: unknown }).dryRun === 'true';
}

/** Marks every answer of a dry run, also the refusals that come before its route. */
export const markDryRun = {
  onRequest: (request: HttpRequest, reply: HttpReply, done: () => void): void => {
    if (isDryRun(request)) void reply.header('dry-run', 'true');
    done();
  },
};
