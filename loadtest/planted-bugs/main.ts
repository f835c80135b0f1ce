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
  else {
    const signal = onInterrupt();
    await withPostgres((postgresUrl) => plantAll(options, { postgresUrl, signal }));
  }
}

function optionsOf(args: readonly string[]): PlantOptions | 'help' | 'list' {
  try {
    return readOptions(args, plantedBugs);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

type World = { readonly postgresUrl: string; readonly signal: AbortSignal };

async function plantAll({ bugs, allTests, json }: PlantOptions, world: World): Promise<void> {
  const broken = await checkUnpatched(bugs, world);
  if (broken.length > 0) {
    console.error(`these tests must pass before a bug is planted:\n${broken.join('\n')}`);
    process.exitCode = 1;
    return;
  }
  const verdicts: Verdict[] = [];
  for (const bug of bugs) {
    const verdict = await plant(bug, allTests, world);
    verdicts.push(verdict);
    if (!json) console.log(lineOf(verdict));
  }
  const count = (wanted: Verdict['outcome']): number => verdicts.filter(({ outcome }) => outcome === wanted).length;
  const counts = { caught: count('caught'), survived: count('survived'), notPlanted: count('not-planted') };
  if (json) console.log(JSON.stringify({ ...counts, verdicts }, null, 2));
  else console.log(`${counts.caught} caught, ${counts.survived} survived, ${counts.notPlanted} not planted`);
  process.exitCode = counts.caught === bugs.length ? 0 : 1;
}

/** A test that fails anyway catches nothing. */
async function checkUnpatched(bugs: readonly PlantedBug[], world: World): Promise<readonly string[]> {
  const copy = await copySources();
  try {
    return brokenBefore(bugs, await runTests(copy, { tests: bugs.map(({ caughtBy }) => caughtBy), ...world }));
  } finally {
    await copy.remove();
  }
}

async function plant(bug: PlantedBug, allTests: boolean, world: World): Promise<Verdict> {
  const copy = await copySources();
  try {
    const refusal = await applyPatch(copy, bug.name);
    if (refusal !== null) return { outcome: 'not-planted', bug, why: refusal };
    return verdictOn(bug, await runTests(copy, { tests: allTests ? 'all' : [bug.caughtBy], ...world }));
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

/** So that what was started and copied is ended and removed first. */
function onInterrupt(): AbortSignal {
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => stop.abort(new Error(`ended by ${name}`)));
  }
  return stop.signal;
}

function lineOf({ outcome, bug, why }: Verdict): string {
  switch (outcome) {
    case 'caught':
      return `caught ${bug.name} by ${bug.caughtBy.test}\n  ${why}`;
    case 'survived':
      return `SURVIVED ${bug.name}: ${why} (${bug.caughtBy.test})`;
    case 'not-planted':
      return `NOT PLANTED ${bug.name}: its patch no longer applies: ${why}`;
  }
}

function described({ name, sentence, caughtBy }: PlantedBug): string {
  return `${name}: ${sentence}\n  ${caughtBy.file}\n  ${caughtBy.test}`;
}

await main();
