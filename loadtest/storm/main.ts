import { availableParallelism } from 'node:os';

import { holds, toFaultLines } from '../system/fault-line.ts';
import type { FaultReport } from '../system/fault-report.ts';
import { openFleet } from './fleet.ts';
import type { Fleet } from './fleet.ts';
import { judgeStorm } from './judge.ts';
import { readOptions, usage } from './options.ts';
import type { StormOptions } from './options.ts';
import { runStorm, tenantId } from './storm.ts';

/** Orders at a steady rate, while everything that may die dies in turn; then every store is asked. */
async function main(): Promise<void> {
  const options = optionsOf(process.argv.slice(2));
  if (options === 'help') {
    console.log(usage);
    return;
  }
  const stack = new AsyncDisposableStack();
  const opening = openFleet({ ...options, tenantId }, stack);
  process.once('SIGINT', () => void interrupted(opening, stack));
  const report = await runAll(options, opening).catch((error: unknown) => broken(options, error));
  if (isInterrupted) return;
  for (const line of toFaultLines('storm', report)) console.log(line);
  await stack.disposeAsync();
  process.exit(holds(report) ? 0 : 1);
}

async function runAll(options: StormOptions, opening: Promise<Fleet>): Promise<FaultReport> {
  const say = (line: string): void => console.log(line);
  say(`seed ${options.seed}, ${availableParallelism()} cores`);
  const context = { ...options, fleet: await opening, say };
  return judgeStorm(context, await runStorm(context));
}

function optionsOf(args: readonly string[]): StormOptions | 'help' {
  try {
    return readOptions(args);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
    process.exit(2);
  }
}

let isInterrupted = false;

/** What was opened is ended by its own pid, newest first; what is being opened is waited for. */
async function interrupted(opening: Promise<Fleet>, stack: AsyncDisposableStack): Promise<void> {
  isInterrupted = true;
  console.error('interrupted');
  await opening.catch(() => undefined);
  await stack.disposeAsync();
  process.exit(130);
}

/** A run that could not be carried to its end proved nothing, and that is a failure too. */
function broken({ seed, orders }: StormOptions, error: unknown): FaultReport {
  const none = { acked: 0, lost: 0, dup: 0, ambiguous: 0, unresolved: 0, readyMs: 0, consistentMs: null, facts: {} };
  const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { seed, ops: orders, ...none, problems: [`the run broke off: ${reason}`] };
}

await main();
