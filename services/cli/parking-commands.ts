import { Command, InvalidArgumentError, Option } from 'commander';
import { discardParking, drainParking, listParking, showParking } from './parking-verbs.ts';
import type { DiscardOptions, ParkingOptions } from './parking-verbs.ts';
import { describeVerb, toOrderId, toUrl } from './verb.ts';
import type { Act } from './verb.ts';

/** `parking list|show|drain|discard`: orders that a projection could not take. */
export function parkingVerbs(act: Act): Command {
  return new Command('parking')
    .description('Orders that a view could not take: see, drain or give up.')
    .addCommand(listVerb(act))
    .addCommand(showVerb(act))
    .addCommand(drainVerb(act))
    .addCommand(discardVerb(act));
}

function listVerb(act: Act): Command {
  const examples = ['parking list', 'parking list --fingerprint 5f1d0c9be2a7', 'parking list --json'];
  return selecting(describeVerb('list', 'What is parked, by error; with a filter also each stream.', examples)).action(
    act((context, options: ParkingOptions) => listParking(context, options)),
  );
}

function showVerb(act: Act): Command {
  const examples = ['parking show 0c8b3a1e-6f5d-5c2b-9a4e-1d2f3a4b5c6d'];
  return common(describeVerb('show', 'What of one order is parked, and the events that wait.', examples))
    .argument('<order>', 'the order’s id', toOrderId)
    .option('--projection <name>', 'only in this projection')
    .action(act((context, order: string, options: ParkingOptions) => showParking(context, order, options)));
}

function drainVerb(act: Act): Command {
  const examples = [
    'parking drain --order 0c8b3a1e-6f5d-5c2b-9a4e-1d2f3a4b5c6d # one canary first',
    'parking drain --fingerprint 5f1d0c9be2a7',
    'parking drain --projection order-summary --json',
  ];
  const description = 'Fold what is parked with the code that runs now; without a filter all of it.';
  return selecting(describeVerb('drain', description, examples))
    .addHelpText(
      'after',
      '\nExit 1 where something still cannot be folded. Discarded ones are drained only by --order.',
    )
    .action(act((context, options: ParkingOptions) => drainParking(context, options)));
}

function discardVerb(act: Act): Command {
  const examples = ['parking discard --order 0c8b3a1e-6f5d-5c2b-9a4e-1d2f3a4b5c6d --yes'];
  const description = 'Give up what is parked: the views stay as they are, and later events are dropped as well.';
  return selecting(describeVerb('discard', description, examples))
    .option('--yes', 'do it; without this nothing is done')
    .addHelpText('after', '\nThe events stay in the store: parking drain --order, or a rebuild, brings them back.')
    .action(act((context, options: DiscardOptions) => discardParking(context, options)));
}

function selecting(command: Command): Command {
  return common(command)
    .addOption(new Option('--order <id>', 'of this order and its fulfillment').argParser(toOrderId))
    .option('--projection <name>', 'of this projection')
    .addOption(new Option('--fingerprint <hex>', 'with this error, as list shows it').argParser(toFingerprint));
}

function common(command: Command): Command {
  const url = new Option('--url <url>', 'the system; found through DATA_DIR, HOST and PORT if absent');
  return command.addOption(url.argParser(toUrl)).option('--json', 'print JSON');
}

function toFingerprint(text: string): string {
  if (/^[0-9a-f]{12}$/.test(text)) return text;
  throw new InvalidArgumentError('It must be 12 hexadecimal digits.');
}
