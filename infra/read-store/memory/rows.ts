import type { ColumnType, ColumnValue, Document, DocumentKey, Filter, View } from '../port.ts';

export function rowKey({ tenantId, key }: DocumentKey): string {
  return `${tenantId}\n${key}`;
}

/** Whether a document passes a filter, as SQL would say: a null passes none. */
export function matches<D extends Document>(view: View<D>, document: D, filter: Filter): boolean {
  const column = view.columns[filter.column];
  if (column === undefined) throw new Error(`view ${view.name} has no column ${filter.column}`);
  const value = column.of(document);
  if (value === null) return false;
  if ('contains' in filter) return Array.isArray(value) && value.includes(filter.contains);
  if ('equals' in filter) return compareColumns(column.type, value, filter.equals) === 0;
  const { from, to } = filter;
  if (from !== undefined && compareColumns(column.type, value, from) < 0) return false;
  return to === undefined || compareColumns(column.type, value, to) < 0;
}

export function compareColumns(type: ColumnType, a: ColumnValue, b: ColumnValue): number {
  if (type === 'bigint') return Number(a) - Number(b);
  if (type === 'timestamptz') return microseconds(String(a)) - microseconds(String(b));
  return compareText(String(a), String(b));
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** As Postgres compares them: the fourth to sixth digit of a second's fraction count too. */
function microseconds(text: string): number {
  const beyondMs = /\.\d{3}(\d{1,3})/.exec(text)?.[1] ?? '';
  return Date.parse(text) * 1_000 + Number(beyondMs.padEnd(3, '0'));
}
