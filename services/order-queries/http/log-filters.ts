import { Type } from 'typebox';
import { RequestRefused } from '../../../infra/http-server/problem.ts';
import { isEventType } from '../../../schemas/event-registry.ts';
import type { Category } from '../../../schemas/ids.ts';

const oneCategory = '(order|stock|fulfillment)';

/** Query parameters that choose events of the log. */
export const logFilters = {
  category: Type.Optional(
    Type.String({
      pattern: `^${oneCategory}(,${oneCategory}){0,2}$`,
      description: 'Of order, stock and fulfillment, by commas; order,stock if absent.',
    }),
  ),
  types: Type.Optional(
    Type.String({
      pattern: '^[A-Z][A-Za-z]*(,[A-Z][A-Za-z]*)*$',
      maxLength: 1_000,
      description: 'Event types, by commas.',
    }),
  ),
};

export function readCategories(text: string | undefined): readonly Category[] | undefined {
  return text?.split(',') as Category[] | undefined;
}

/** A misspelt type is refused: an empty page would look like a quiet business. */
export function readTypes(text: string | undefined): readonly string[] | undefined {
  const types = text?.split(',');
  if (types === undefined || types.every(isEventType)) return types;
  const fault = { pointer: '/types', detail: 'names an event type that there is not', in: 'query' } as const;
  throw new RequestRefused('INVALID_REQUEST', 'See errors[].', [fault]);
}
