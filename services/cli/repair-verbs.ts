import { Command, Option } from 'commander';

import type { RebuildVerbOptions } from './rebuild/rebuild-verb.ts';
import type { AdoptStoreOptions } from './store/adopt-store.ts';
import type { ShowStoreOptions } from './store/show-store.ts';
import { describeVerb, toOrderId } from './verb.ts';
import type { Act } from './verb.ts';

/** `store`: without a word after it, it shows. */
export function storeVerb(act: Act): Command {
  const show = describeVerb('show', 'Show epoch, events and head of the event store, and who follows it.', [
    'store',
    'store show --json',
  ])
    .option('--json', 'print JSON')
    .action(
      act(async (context, options: ShowStoreOptions) => {
        const { showStore } = await import('./store/show-store.ts');
        return showStore(context, options);
      }),
    );
  const adopt = describeVerb('adopt', 'Go on with the event store as it is now, in a new epoch.', [
    'store adopt # says what it would do',
    'store adopt --yes',
  ])
    .option('--yes', 'do it')
    .option('--json', 'print JSON')
    .action(
      act(async (context, options: AdoptStoreOptions) => {
        const { adoptStore } = await import('./store/adopt-store.ts');
        return adoptStore(context, options);
      }),
    );
  return new Command('store')
    .description('Look at the event store itself, or make a restored one yours.')
    .addCommand(show, { isDefault: true })
    .addCommand(adopt);
}

export function rebuildVerbOf(act: Act): Command {
  const examples = [
    'rebuild order-summary --yes',
    'rebuild order-summary --order 0192f0c1-2d3e-5f40-8a1b-2c3d4e5f6071 --yes',
    'rebuild order-summary --verify-only --json',
  ];
  return describeVerb('rebuild', 'Build a view anew from the log, and compare it with the log.', examples)
    .argument('<projection>', 'the view, as order-summary')
    .addOption(
      new Option('--order <id>', 'only the documents of this order; nothing has to be stopped').argParser(toOrderId),
    )
    .addOption(new Option('--verify-only', 'only compare; changes nothing').conflicts(['yes', 'order']))
    .option('--yes', 'do it')
    .option('--json', 'print JSON')
    .action(
      act(async (context, projection: string, options: RebuildVerbOptions) => {
        const { rebuildVerb } = await import('./rebuild/rebuild-verb.ts');
        return rebuildVerb(context, projection, options);
      }),
    );
}
