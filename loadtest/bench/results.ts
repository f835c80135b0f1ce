import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { dirname, join } from 'node:path';

import type { Finding } from './row.ts';

/** One run: what was measured, on what, and of which commit. */
export type Results = {
  readonly date: string;
  /** Short hash; `+` behind it where the tree had changes. */
  readonly commit: string;
  readonly machine: {
    readonly cores: number;
    readonly model: string;
    readonly memoryGb: number;
    readonly node: string;
    readonly postgres: string;
  };
  readonly settings: { readonly seconds: number; readonly reps: number };
  readonly rows: readonly MeasuredRow[];
};

export type MeasuredRow = Finding & {
  readonly name: string;
  readonly title: string;
  readonly tookSeconds: number;
  /** Load average of the last minute, before and after the row. */
  readonly load: readonly [before: number, after: number];
};

const folder = join(import.meta.dirname, '..', 'results');

export function describeMachine(postgres: string): Results['machine'] {
  return {
    cores: availableParallelism(),
    model: cpus()[0]?.model ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.versions.node,
    postgres,
  };
}

export function currentLoad(): number {
  return loadavg()[0] ?? 0;
}

/** Of the working tree; `unknown` outside of one. */
export function currentCommit(): string {
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: import.meta.dirname, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const changed = git('status', '--porcelain', '--untracked-files=no') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '+' : ''}`;
  } catch {
    return 'unknown';
  }
}

/** @returns the file's path */
export function writeResults(results: Results, file: string | null): string {
  const stamp = results.date.replaceAll(/[-:]|\.\d+/g, '');
  const path = file ?? join(folder, `bench-${stamp}-${results.commit.replace('+', '-changed')}.json`);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(results, (_, value: unknown) => rounded(value), 1)}\n`);
  return path;
}

/**
 * The newest run that measured all of these rows; file names begin with the date.
 * @throws Error where there is none
 */
export function readNewestResults(rows: readonly string[]): { readonly name: string; readonly results: Results } {
  const names = readdirSync(folder).filter((file) => file.startsWith('bench-') && file.endsWith('.json'));
  for (const name of names.toSorted().reverse()) {
    const results = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Results;
    if (rows.every((row) => results.rows.some((measured) => measured.name === row))) return { name, results };
  }
  throw new Error('no results of all rows yet: npm run bench');
}

/** Three digits behind the point are more than any of this is exact to. */
function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value;
}
