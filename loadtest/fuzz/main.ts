import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { verify } from '../system/order-center.ts';
import { openSystem } from '../system/system.ts';
import type { System } from '../system/system.ts';
import { compareNotFound } from './not-found-times.ts';
import { readOptions, usage } from './options.ts';
import type { FuzzOptions } from './options.ts';
import { fuzz, installSchemathesis, judge } from './schemathesis.ts';

/** Sends what nobody would think of to the real system, and proves that each answer is one that its document names. */
async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') {
    console.log(usage);
    return;
  }
  const schemathesis = await installSchemathesis((line) => console.log(line));
  const system = await openSystem({ name: 'fuzz', keep: options.keep });
  try {
    system.launch();
    await system.awaitReady();
    console.log(`seed=${options.seed} examples=${options.examples} at ${system.url}`);
    const { code, output, report } = await fuzz(schemathesis, { ...options, url: system.url, folder: system.folder });
    await writeFile(join(system.folder, 'schemathesis.log'), output);
    const { generated } = report.test_cases;
    console.log(`${generated} requests to ${report.operations.tested} operations`);
    const { fact, problems } = await compareNotFound(system.url);
    console.log(fact);
    const found = [...judge(code, report), ...problems, ...(await problemsAfter(system))];
    // Its own words begin with a line of = at the first error or failure.
    if (found.length > 0) console.log(output.slice(Math.max(0, output.search(/^=+ /m))));
    for (const problem of found) console.log(`FAILED ${problem}`);
    console.log(found.length === 0 ? 'all hold' : `${found.length} do not hold; seed ${options.seed} repeats them`);
    process.exitCode = found.length === 0 ? 0 : 1;
  } finally {
    await system.close();
  }
}

function optionsOf(args: readonly string[]): FuzzOptions | 'help' {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

/** The process lives, logged no bug, and what it stored holds. */
async function problemsAfter(system: System): Promise<readonly string[]> {
  const ready = await fetch(`${system.url}/readyz`, { signal: AbortSignal.timeout(5_000) });
  const lines = (await readFile(join(system.folder, 'server.log'), 'utf8')).split('\n');
  const bugs = lines.filter((line) => line.startsWith('{"level":"error"') || line.startsWith('{"level":"fatal"'));
  return [
    ...(ready.status === 200 ? [] : [`/readyz answers ${ready.status} afterwards`]),
    ...(bugs.length === 0 ? [] : [`${bugs.length} errors in the log, the first: ${bugs[0]?.slice(0, 500) ?? ''}`]),
    ...(await verify(system, { required: ['I6'] })),
  ];
}

await main();
