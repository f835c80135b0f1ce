import { holds, toFaultLines } from '../system/fault-line.ts';
import { readOptions, usage } from './options.ts';
import type { CrashOptions } from './options.ts';
import type { FaultReport, Skipped } from '../system/fault-report.ts';
import type { Scenario } from './scenario.ts';
import { scenarios } from './scenarios.ts';

/** Kills the real system in the middle of its work and proves that nothing was lost and nothing was done twice. */
async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') console.log(usage);
  else await runAll(options);
}

async function runAll(options: CrashOptions): Promise<void> {
  let failed = 0;
  for (const scenario of options.scenarios) {
    console.log(`${scenario.id}: ${scenario.title}`);
    const report = await runScenario(scenario, options);
    for (const line of toFaultLines(scenario.id, report)) console.log(line);
    if (!holds(report)) failed += 1;
  }
  console.log(failed === 0 ? 'all hold' : `${failed} of ${options.scenarios.length} do not hold`);
  process.exitCode = failed === 0 ? 0 : 1;
}

function optionsOf(args: readonly string[]): CrashOptions | 'help' {
  try {
    return readOptions(args, scenarios);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

async function runScenario(scenario: Scenario, options: CrashOptions): Promise<FaultReport | Skipped> {
  try {
    return await scenario.run({ ...options, say: (line) => console.log(`  ${line}`) });
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

await main();
