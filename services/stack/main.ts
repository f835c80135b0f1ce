import { readConfig, type Environment } from '../../infra/config/config.ts';
import { redactUrl } from '../../infra/config/kinds.ts';
import { endAfter, untilAsked } from '../../infra/process/run-process.ts';
import { welcome } from '../all-in-one/welcome.ts';
import { readOptions, usage } from './options.ts';
import { openStack } from './stack.ts';

/** The distributed form on this machine: see options.ts for what it is told. */
await endAfter(() => run(process.argv.slice(2), process.env));

async function run(args: readonly string[], env: Environment): Promise<void> {
  const options = readOptions(args);
  if (options === null) return void process.stdout.write(`${usage}\n`);
  const config = readConfig(env);
  const starting = new AbortController();
  const asked = untilAskedOrLeft().then(() => starting.abort());
  await using opening = new AsyncDisposableStack();
  try {
    const stack = await openStack({ config, env, options, say, signal: starting.signal }, opening);
    const { payment, logistics, risk, ...parts } = stack.urls;
    const simulatorUrls = { payment: payment ?? '', logistics: logistics ?? '', risk: risk ?? '' };
    process.stdout.write(`${welcome({ url: stack.url, simulatorUrls }, stack.dataDir)}\n\n${partLines(parts)}\n`);
    const reason = await Promise.race([asked, stack.lost]);
    if (reason !== undefined) throw new Error(reason);
  } catch (error) {
    if (!starting.signal.aborted) throw error;
  }
  say('stopping: the roles first, then the servers');
  await opening.disposeAsync();
  say('stopped');
}

/** A closed terminal is a Ctrl-C, too: unheard, it would end us and leave the others. */
function untilAskedOrLeft(): Promise<void> {
  return Promise.race([untilAsked(), new Promise<void>((resolve) => process.once('SIGHUP', () => resolve()))]);
}

function partLines(parts: Readonly<Record<string, string>>): string {
  return Object.entries(parts)
    .map(([name, url]) => `  ${name.padEnd(20)} ${redactUrl(url).replace(/\/$/, '')}`)
    .join('\n');
}

function say(line: string): void {
  process.stdout.write(`order-center stack: ${line}\n`);
}
