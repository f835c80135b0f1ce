import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startEmbeddedPostgres } from '../../infra/local/embedded-postgres.ts';
import { plantedBugs, type PlantedBug } from './bugs.ts';
import { readOptions, usage, type PlantOptions } from './options.ts';
import { applyPatch, copySources } from './sources-copy.ts';
import { runTests } from './test-run.ts';
import { brokenBefore, verdictOn, type Verdict } from './verdict.ts';

/** Plants known mistakes in a copy of the sources, one at a time, and asks the unchanged tests to find each. */
async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') console.log(usage);
  else if (options === 'list') console.log(plantedBugs.map(described).join('\n\n'));
  else await withPostgres((postgresUrl) => plantAll(options, postgresUrl));
}

function optionsOf(args: readonly string[]): PlantOptions | 'help' | 'list' {
  try {
    return readOptions(args, plantedBugs);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

async function plantAll(options: PlantOptions, postgresUrl: string): Promise<void> {
  const { bugs, allTests, json } = options;
  const broken = await checkUnpatched(bugs, postgresUrl);
  if (broken.length > 0) {
    console.error(`these tests must pass before a bug is planted:\n${broken.join('\n')}`);
    process.exitCode = 1;
    return;
  }
  const verdicts: Verdict[] = [];
  for (const bug of bugs) {
    const verdict = await plant(bug, { allTests, postgresUrl });
    verdicts.push(verdict);
    if (!json) console.log(lineOf(verdict));
  }
  const survived = verdicts.filter(({ outcome }) => outcome === 'survived').length;
  if (json) console.log(JSON.stringify({ caught: verdicts.length - survived, survived, verdicts }, null, 2));
  else console.log(`${verdicts.length - survived} caught, ${survived} survived`);
  process.exitCode = survived === 0 ? 0 : 1;
}

/** A test that fails anyway catches nothing. */
async function checkUnpatched(bugs: readonly PlantedBug[], postgresUrl: string): Promise<readonly string[]> {
  const copy = await copySources();
  try {
    const run = await runTests(copy, { tests: bugs.map(({ caughtBy }) => caughtBy), postgresUrl });
    return brokenBefore(bugs, run);
  } finally {
    await copy.remove();
  }
}

async function plant(
  bug: PlantedBug,
  { allTests, postgresUrl }: { readonly allTests: boolean; readonly postgresUrl: string },
): Promise<Verdict> {
  const copy = await copySources();
  try {
    await applyPatch(copy, bug.name);
    return verdictOn(bug, await runTests(copy, { tests: allTests ? 'all' : [bug.caughtBy], postgresUrl }));
  } finally {
    await copy.remove();
  }
}

/** TEST_POSTGRES_URL, as the tests themselves take it, or one embedded Postgres for all runs. */
async function withPostgres(use: (url: string) => Promise<void>): Promise<void> {
  const given = process.env.TEST_POSTGRES_URL ?? '';
  if (given !== '') return use(given);
  const dataDir = await mkdtemp(join(tmpdir(), 'order-center-planted-postgres-'));
  try {
    const postgres = await startEmbeddedPostgres({ dataDir });
    await use(postgres.url).finally(() => postgres.stop());
  } finally {
    await rm(dataDir, { recursive: true, force: true, maxRetries: 5 });
  }
}

function lineOf({ outcome, bug, why }: Verdict): string {
  return outcome === 'caught'
    ? `caught ${bug.name} by ${bug.caughtBy.test}\n  ${why}`
    : `SURVIVED ${bug.name}: ${why} (${bug.caughtBy.test})`;
}

function described({ name, sentence, caughtBy }: PlantedBug): string {
  return `${name}: ${sentence}\n  ${caughtBy.file}\n  ${caughtBy.test}`;
}

await main();
