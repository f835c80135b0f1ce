import { Command, CommanderError, Option } from 'commander';

import { showConfig } from './config-verb.ts';
import type { ConfigOptions } from './config-verb.ts';
import { exitCodes, oneLine, toLine } from './failure.ts';
import type { ImportOptions } from './import-olist/import-olist.ts';
import { parkingVerbs } from './parking-commands.ts';
import { rebuildVerbOf, storeVerb } from './repair-verbs.ts';
import { showCommand } from './show-command.ts';
import { topicsVerbs } from './topics/topics-commands.ts';
import type { ShowCommandOptions } from './show-command.ts';
import type { VerifyVerbOptions } from './verify/verify-verb.ts';
import { describeVerb, toCommandId, toCount, toTenant, toUrl } from './verb.ts';
import type { Act, Verb, VerbContext } from './verb.ts';

/**
 * Runs one command line.
 * @param args without node and the script
 * @returns the exit code: 0, 1 runtime, 2 usage, 130 interrupted. Errors are one line on stderr.
 */
export async function run(args: readonly string[], context: VerbContext): Promise<number> {
  const outcome = { code: exitCodes.done as number };
  const program = assemble(context, (code) => (outcome.code = code));
  try {
    await program.parseAsync(args, { from: 'user' });
    return outcome.code;
  } catch (error) {
    // Commander has printed already: the help that was asked for, or what is wrong with the line.
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.done : exitCodes.usage;
    if (context.signal.aborted) {
      context.terminal.note('order-center: interrupted');
      return exitCodes.interrupted;
    }
    context.terminal.note(`order-center: ${toLine(error)}`);
    if (context.env.LOG_LEVEL === 'debug' && error instanceof Error) context.terminal.note(error.stack ?? '');
    return exitCodes.failed;
  }
}

type OnCode = (code: number) => void;

function assemble(context: VerbContext, onCode: OnCode): Command {
  const act =
    <Arguments extends readonly unknown[]>(verb: Verb<Arguments>) =>
    async (...given: [...Arguments, ...unknown[]]): Promise<void> =>
      onCode(await verb(context, ...(given as unknown as Arguments)));
  const program = new Command('order-center')
    .description('An event-sourced order backend: run it, fill it, ask it, prove it.')
    .usage('<verb> [options]')
    .addHelpText('after', '\nExit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.')
    .helpCommand(false);
  program.addCommand(startVerb(act));
  program.addCommand(importVerb(act));
  program.addCommand(configVerb(act));
  program.addCommand(commandsVerb(act));
  program.addCommand(verifyVerbOf(act));
  program.addCommand(parkingVerbs(act));
  program.addCommand(rebuildVerbOf(act));
  program.addCommand(storeVerb(act));
  program.addCommand(topicsVerbs(act));
  everyCommand(program, (command) => harden(command, context));
  return program;
}

function startVerb(act: Act): Command {
  const examples = ['start', 'start # with PORT=8090 DATA_DIR=/tmp/shop in the environment'];
  return describeVerb('start', 'Run the whole system in this process, as npm start does.', examples).action(
    act(async ({ env }: VerbContext) => {
      const { start } = await import('../all-in-one/start.ts');
      await start(env);
      return exitCodes.done;
    }),
  );
}

function importVerb(act: Act): Command {
  const examples = [
    'import olist ../shared/data/olist',
    'import olist ./olist --url http://127.0.0.1:8080 --concurrency 32 --json',
  ];
  const olist = describeVerb('olist', 'Import the Olist files, then compare them with the views.', examples)
    .argument('<dir>', 'folder of orders, order_items, payments and customers, .csv or .csv.gz')
    .addOption(urlOption())
    .addOption(tenantOption())
    .option('--concurrency <n>', 'orders in flight', toCount(256), 16)
    .option('--json', 'print the reconciliation as JSON')
    .action(
      act(async (context, dir: string, options: ImportOptions) => {
        const { importOlist } = await import('./import-olist/import-olist.ts');
        return importOlist(context, dir, options);
      }),
    );
  return new Command('import').description('Import real order history into a running system.').addCommand(olist);
}

function configVerb(act: Act): Command {
  const examples = ['config', 'config --json', 'config --markdown > docs/configuration.md'];
  return describeVerb('config', 'List every variable of the environment and what it is now.', examples)
    .option('--json', 'print JSON')
    .addOption(new Option('--markdown', 'print docs/configuration.md').conflicts('json'))
    .action(act((context, options: ConfigOptions) => showConfig(context, options)));
}

function commandsVerb(act: Act): Command {
  const show = describeVerb('show', 'Show what became of one command.', ['commands show olist-a4591c26'])
    .argument('<id>', 'the Idempotency-Key that it was sent with', toCommandId)
    .addOption(urlOption())
    .addOption(tenantOption())
    .option('--json', 'print JSON')
    .action(act((context, id: string, options: ShowCommandOptions) => showCommand(context, id, options)));
  return new Command('commands').description('Ask what became of commands.').addCommand(show);
}

function verifyVerbOf(act: Act): Command {
  const examples = ['verify', 'verify --json', 'verify --ledger acked.jsonl --reads reads.jsonl'];
  return describeVerb('verify', 'Check that what must always hold does hold.', examples)
    .option('--ledger <file>', 'acknowledged answers, JSON Lines {tenantId, commandId, orderId, version, status}')
    .option('--reads <file>', "a client's reads, JSON Lines {orderId, version, at}")
    .option('--stuck-after-ms <ms>', 'a saga that did nothing for so long is stuck', toCount(86_400_000), 60_000)
    .option('--json', 'print JSON')
    .action(
      act(async (context, options: VerifyVerbOptions) => {
        // The stores' drivers are loaded by the one verb that needs them.
        const { verifyVerb } = await import('./verify/verify-verb.ts');
        return verifyVerb(context, options);
      }),
    );
}

function urlOption(): Option {
  return new Option('--url <url>', 'the system; found through DATA_DIR, HOST and PORT if absent').argParser(toUrl);
}

function tenantOption(): Option {
  return new Option('--tenant <id>', 'whose orders').argParser(toTenant).default('default');
}

/** Usage errors are one line on stderr and exit 2, for every verb alike. */
function harden(command: Command, { terminal }: VerbContext): void {
  command
    .exitOverride()
    .allowExcessArguments(false)
    .configureOutput({
      writeOut: (text) => terminal.print(text.trimEnd()),
      writeErr: (text) => terminal.note(text.trimEnd()),
      outputError: (text) => terminal.note(`order-center: ${oneLine(text)}`),
    });
}

function everyCommand(command: Command, change: (command: Command) => void): void {
  change(command);
  for (const child of command.commands) everyCommand(child, change);
}
