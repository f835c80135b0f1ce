import { readConfig } from '../../../infra/config/config.ts';
import { relayConsumer } from '../../../infra/event-feed/port.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { findDatabases } from '../databases.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import type { VerbContext } from '../verb.ts';

export type RepublishOptions = { readonly yes?: boolean; readonly json?: boolean };

/**
 * Lets the relay publish everything from the log's beginning, though it did not see by itself that a topic lacks records.
 * A relay that runs goes on from there by itself; readers drop what they have seen.
 */
export async function republishVerb({ env, terminal }: VerbContext, options: RepublishOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const { readDbUrl } = await findDatabases(readConfig(env), stack);
  const readStore = openReadStore(readDbUrl);
  stack.defer(() => readStore.close());
  const from = await readStore.loadCheckpoint(relayConsumer, 'log');
  if (from === null) {
    terminal.print(
      options.json === true ? '{"republished":false}' : 'No relay has published anything: it begins anyway.',
    );
    return exitCodes.done;
  }
  if (options.yes !== true) {
    // As every verb that deletes or switches: without it, the plan and nothing done.
    terminal.note(
      'order-center: topics republish would publish every event again; nothing was done: repeat with --yes',
    );
    return exitCodes.usage;
  }
  const outcome = await readStore.forgetCheckpoint({ consumer: relayConsumer, partition: 'log', from });
  if (outcome === 'moved') throw new CommandFailure('the relay went on in this moment: try again');
  terminal.print(options.json === true ? '{"republished":true}' : 'The relay publishes from the beginning of the log.');
  return exitCodes.done;
}
