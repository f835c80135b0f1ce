import type { Document, Filter, ListQuery, View } from '../port.ts';
import { columnOf, tableOf } from './table.ts';

export type Statement = { readonly text: string; readonly values: readonly unknown[] };

/** A page of one tenant's rows, newest first, from just after the last row of the page before. */
export function listStatement<D extends Document>(query: ListQuery<D>): Statement {
  const values: unknown[] = [];
  const value = (given: unknown, type: string): string => `$${values.push(given)}::${type}`;
  const newestBy = columnOf(query.view, query.newestBy);
  const conditions = [
    `tenant_id = ${value(query.tenantId, 'text')}`,
    ...query.filters.flatMap((filter) => condition(query.view, filter, value)),
    `${newestBy.name} is not null`,
  ];
  if (query.after !== undefined) {
    const { value: last, key } = query.after;
    conditions.push(`(${newestBy.name}, key) < (${value(last, newestBy.column.type)}, ${value(key, 'text')})`);
  }
  const text = `select key, document from ${tableOf(query.view).name} where ${conditions.join(' and ')}
    order by ${newestBy.name} desc, key desc limit ${value(query.limit, 'integer')}`;
  return { text, values };
}

export type ScanPage = {
  /** Exclusive. */
  readonly after: { readonly tenantId: string; readonly key: string };
  readonly filter: Filter | undefined;
  readonly limit: number;
};

/** A page of all tenants' rows. */
export function scanStatement<D extends Document>(view: View<D>, { after, filter, limit }: ScanPage): Statement {
  const values: unknown[] = [];
  const value = (given: unknown, type: string): string => `$${values.push(given)}::${type}`;
  const conditions = [
    `(tenant_id, key) > (${value(after.tenantId, 'text')}, ${value(after.key, 'text')})`,
    ...(filter === undefined ? [] : condition(view, filter, value)),
  ];
  const text = `select tenant_id, key, document from ${tableOf(view).name} where ${conditions.join(' and ')}
    order by tenant_id, key limit ${value(limit, 'integer')}`;
  return { text, values };
}

function condition<D extends Document>(
  view: View<D>,
  filter: Filter,
  value: (given: unknown, type: string) => string,
): readonly string[] {
  const { name, column } = columnOf(view, filter.column);
  if ('contains' in filter) return [`${name} @> array[${value(filter.contains, 'text')}]`];
  if ('equals' in filter) return [`${name} = ${value(filter.equals, column.type)}`];
  return [
    ...(filter.from === undefined ? [] : [`${name} >= ${value(filter.from, column.type)}`]),
    ...(filter.to === undefined ? [] : [`${name} < ${value(filter.to, column.type)}`]),
  ];
}
