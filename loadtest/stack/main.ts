import type { FaultReport, Skipped } from '../system/fault-report.ts';
import { holds, toFaultLines } from '../system/fault-line.ts';
import { importThrough } from './import-through.ts';
import { readOptions, usage, type StackRunOptions } from './options.ts';
import type { Scenario } from './scenarios.ts';

/** Imports real orders through the distributed form, whole and while parts of it die. */
async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') {
    console.log(usage);
    return;
  }
  let failed = 0;
  for (const scenario of options.scenarios) {
    console.log(`stack-${scenario.id}: ${scenario.title}`);
    const report = await runScenario(scenario, options);
    for (const line of toFaultLines(`stack-${scenario.id}`, report)) console.log(line);
    if (!holds(report)) failed += 1;
  }
  console.log(failed === 0 ? 'all hold' : `${failed} of ${options.scenarios.length} do not hold`);
  process.exitCode = failed === 0 ? 0 : 1;
}

async function runScenario(scenario: Scenario, options: StackRunOptions): Promise<FaultReport | Skipped> {
  try {
    return await importThrough(scenario, { ...options, say: (line) => console.log(`  ${line}`) });
  } catch (error) {
    return broken(options.seed, error);
  }
}

/** A scenario that could not be carried to its end proved nothing, and that is a failure too. */
function broken(seed: number, error: unknown): FaultReport {
  const none = { ops: 0, acked: 0, lost: 0, dup: 0, ambiguous: 0, unresolved: 0, readyMs: 0, consistentMs: null };
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { seed, ...none, facts: {}, problems: [`the scenario broke off: ${reason}`] };
}

function optionsOf(args: readonly string[]): StackRunOptions | 'help' {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

await main();
