import { unpaidExpiryOf, variables } from './variables.ts';
import type { Variable } from './variables.ts';

/** docs/configuration.md, whole. Written by `order-center config --markdown`; a test proves the file fresh. */
export function configurationMarkdown(): string {
  const listed = Object.values<Variable>(variables);
  const at = listed.findIndex((variable) => variable.name === 'UNPAID_EXPIRY_MS') + 1;
  const all = [...listed.slice(0, at), unpaidExpiryOf('<METHOD>'), ...listed.slice(at)];
  const rows = all.map((variable) => [
    `\`${variable.name}\``,
    variable.default === null ? '' : `\`${variable.default}\``,
    variable.kind.expects,
    variable.description,
  ]);
  return `${heading}\n${table([['variable', 'default', 'expects', 'meaning'], ...rows])}\n`;
}

const heading = `# Configuration

Configuration is environment only. It is checked as a whole at start: every problem is named at once, and passwords are
never shown. \`npx order-center config\` lists what holds now. A variable that is set to nothing is not set.

Generated from infra/config/variables.ts by \`npx order-center config --markdown\`; never edit.
`;

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const rule = widths.map((width) => '-'.repeat(width));
  const [first = [], ...rest] = rows;
  return [line(first), line(rule), ...rest.map(line)].join('\n');
}
