import { writeDocs } from './docs-table.ts';
import { readOptions, usage, type BenchOptions, type Request } from './options.ts';
import { reportRow } from './report.ts';
import { currentCommit, currentLoad, describeMachine, writeResults, type MeasuredRow } from './results.ts';
import type { BenchContext, BenchRow } from './row.ts';
import { rows } from './rows.ts';
import { openScratchPostgres, type ScratchPostgres } from './scratch-postgres.ts';

/** Ratios in one run on the embedded Postgres: docs/performance.md says how and why. */
async function main(): Promise<void> {
  const request = requestOf(process.argv.slice(2));
  if (request === 'help') console.log(usage);
  else if (request === 'write-docs') console.log(`docs/performance.md shows ${await writeDocs()}`);
  else await bench(request);
}

function requestOf(args: readonly string[]): Request {
  try {
    return readOptions(args, rows);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

async function bench(options: BenchOptions): Promise<void> {
  const postgres = await openScratchPostgres();
  // The children end with us; Postgres would not.
  process.once('SIGINT', () => void postgres.close().finally(() => process.exit(130)));
  process.once('SIGTERM', () => void postgres.close().finally(() => process.exit(143)));
  try {
    await measureAll(options, postgres);
  } finally {
    await postgres.close();
  }
}

async function measureAll(options: BenchOptions, postgres: ScratchPostgres): Promise<void> {
  const { seconds, reps, profileDir } = options;
  const execArgv = profileDir === null ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDir}`];
  const context: BenchContext = { seconds, reps, postgres, execArgv, say: (line) => console.log(line) };
  const started = {
    date: new Date().toISOString(),
    commit: currentCommit(),
    machine: describeMachine(postgres.version),
  };
  const measured: MeasuredRow[] = [];
  for (const row of options.rows) {
    const result = await measureRow(row, context);
    console.log(`${reportRow(result)}\n`);
    measured.push(result);
  }
  const path = writeResults({ ...started, settings: { seconds, reps }, rows: measured }, options.json);
  console.log(`results: ${path}`);
}

async function measureRow(row: BenchRow, context: BenchContext): Promise<MeasuredRow> {
  const { name, title } = row;
  context.say(`${name}: ${title}`);
  const before = currentLoad();
  const started = performance.now();
  const finding = await row.measure(context);
  const tookSeconds = (performance.now() - started) / 1_000;
  return { name, title, ...finding, tookSeconds, load: [before, currentLoad()] };
}

await main();
