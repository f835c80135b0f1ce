import type { Column, Document, View } from '../port.ts';

/** A view as SQL names it. Names come from our own code; they are checked all the same, since they are written into SQL. */
export type Table = {
  readonly name: string;
  /** In the order of every statement. */
  readonly columns: readonly (readonly [name: string, column: Column])[];
  readonly dueColumn: string | null;
};

const word = /^[a-z][a-z0-9_]{0,40}$/;

export function tableOf<D extends Document>(view: View<D>): Table {
  const columns = Object.entries<Column>(view.columns);
  for (const [name] of columns) checkWord(name);
  return {
    name: `views.${checkWord(view.name.replaceAll('-', '_'))}`,
    columns,
    dueColumn: view.dueColumn === undefined ? null : columnOf(view, view.dueColumn).name,
  };
}

export function columnOf<D extends Document>(
  view: View<D>,
  name: string,
): { readonly name: string; readonly column: Column } {
  const column = view.columns[name];
  if (column === undefined) throw new Error(`view ${view.name} has no column ${name}`);
  return { name: checkWord(name), column };
}

/** Text compares by bytes, whatever the database's locale: pages and scans have one order everywhere. */
export function sqlType(column: Column): string {
  return column.type === 'text' ? 'text collate "C"' : column.type;
}

/** `create table` and its indexes. A due view also remembers until when each row is claimed. */
export function createStatements<D extends Document>(view: View<D>): readonly string[] {
  const table = tableOf(view);
  const columns = table.columns.map(([name, column]) => `${name} ${sqlType(column)}`);
  const claimed = table.dueColumn === null ? [] : ['claimed_until timestamptz'];
  const all = ['tenant_id text collate "C"', 'key text collate "C"', 'document json not null', ...columns, ...claimed];
  return [
    `create table ${table.name} (${[...all, 'primary key (tenant_id, key)'].join(', ')})`,
    ...view.indexes.map((index) => indexStatement(view, table, index)),
    ...(table.dueColumn === null ? [] : [`create index on ${table.name} (${table.dueColumn})`]),
  ];
}

function indexStatement<D extends Document>(view: View<D>, table: Table, index: readonly string[]): string {
  const columns = index.map((name) => columnOf(view, name));
  const [only] = columns;
  if (columns.length === 1 && only?.column.type === 'text[]')
    return `create index on ${table.name} using gin (${only.name})`;
  return `create index on ${table.name} (tenant_id, ${columns.map(({ name }) => name).join(', ')}, key)`;
}

function checkWord(name: string): string {
  if (!word.test(name)) throw new Error(`${name} cannot name a table or column`);
  return name;
}
