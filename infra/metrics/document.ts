import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openExposer } from './exposition.ts';
import { registered } from './open.ts';

const root = join(import.meta.dirname, '..', '..');
const documentFile = join(root, 'docs', 'metrics.md');
const alertsFile = join(root, 'infra', 'deploy', 'prometheus', 'alerts.yml');

export type DescribedMetric = {
  readonly name: string;
  readonly type: string;
  readonly labels: readonly string[];
  readonly help: string;
};

/** Every metric that a process can show, whether or not anything feeds it there. */
export function describedMetrics(): readonly DescribedMetric[] {
  const exposer = openExposer();
  registered(exposer);
  // prom-client keeps the label names, and its types do not say so.
  const known = exposer.registry.getMetricsAsArray() as unknown as readonly (DescribedMetric & {
    readonly labelNames: readonly string[];
  })[];
  return known.map(({ name, type, labelNames, help }) => ({ name, type, labels: labelNames, help }));
}

export type Alert = { readonly name: string; readonly expression: string };

/** From the rules' text: its lines are ours, one `alert` and one `expr` each. */
export function readAlerts(): readonly Alert[] {
  const text = readFileSync(alertsFile, 'utf8');
  const rules = text.matchAll(/- alert: (\w+)\n\s+expr: (?:>-\n\s+)?(.+)\n/g);
  return [...rules].map(([, name = '', expression = '']) => ({ name, expression }));
}

/** prom-client's own metrics differ by platform: only those that are everywhere are listed, after ours. */
function table(): string {
  const alerts = readAlerts();
  const isGeneral = ({ name }: DescribedMetric): boolean => /^(nodejs|process)_/.test(name);
  const isListed = (metric: DescribedMetric): boolean =>
    !isGeneral(metric) || /^(nodejs_eventloop|nodejs_gc|process_start_time)_/.test(metric.name);
  const metrics = describedMetrics().filter(isListed);
  const sorted = metrics.toSorted((a, b) => Number(isGeneral(a)) - Number(isGeneral(b)));
  const rows = sorted.map(({ name, type, labels, help }) => {
    const serves = alerts.filter(({ expression }) => expression.split(/\W+/).some((word) => isOf(name, word)));
    return [`\`${name}\``, type, labels.map((label) => `\`${label}\``).join(' '), help, names(serves)];
  });
  return markdownTable([['name', 'type', 'labels', 'meaning', 'alert'], ...rows]);
}

function names(alerts: readonly Alert[]): string {
  return alerts.map(({ name }) => name).join(', ');
}

/** Whether a word of an expression is the metric, or a series of its histogram. */
export function isOf(metric: string, word: string): boolean {
  return word === metric || ['_bucket', '_sum', '_count'].some((suffix) => word === metric + suffix);
}

/** As prettier sets it. */
function markdownTable(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

const place = /(?<=<!-- generated -->\n\n)[^]*(?=\n\n<!-- end -->)/;

/** docs/metrics.md with the table as it must be now, and as it is. */
export function metricsDocument(): { readonly wanted: string; readonly found: string } {
  const found = readFileSync(documentFile, 'utf8');
  return { wanted: found.replace(place, () => table()), found };
}

if (process.argv[1] === import.meta.filename) writeFileSync(documentFile, metricsDocument().wanted);
