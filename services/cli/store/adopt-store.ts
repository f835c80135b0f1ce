import { readConfig } from '../../../infra/config/config.ts';
import { rememberEpoch, storeLocation } from '../../../infra/epoch/known-epochs.ts';
import { openStoreKeeper } from '../../../infra/event-store/open.ts';
import { isOperationalFailure } from '../../../infra/failures.ts';
import type { OrderSnapshots } from '../../../infra/order-snapshots/port.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { claimDatabases } from '../databases.ts';
import { exitCodes } from '../failure.ts';
import { dropSnapshots, openSharedSnapshots } from '../snapshots-of.ts';
import { toTable } from '../terminal.ts';
import type { VerbContext } from '../verb.ts';

export type AdoptStoreOptions = { readonly yes?: boolean; readonly json?: boolean };

const plan = [
  'order-center: store adopt would begin a new epoch, so that positions, cursors and Last-Event-IDs given out before are refused',
  'give events restored from another server new places in the log, in their old order',
  "empty the views with every consumer's checkpoint, and drop the snapshots: the next start rebuilds them",
  'and change no event. Nothing was done: stop the system, look at npx order-center store, then repeat with --yes',
].join('; ');

/**
 * Begins a new epoch, and forgets whatever knows the old one. The epoch comes first: where a later step fails, the next
 * start is refused, and the same command goes on.
 */
export async function adoptStore(context: VerbContext, options: AdoptStoreOptions): Promise<number> {
  const { env, terminal, signal } = context;
  if (options.yes !== true) {
    terminal.note(plan);
    return exitCodes.usage;
  }
  const config = readConfig(env);
  await using stack = new AsyncDisposableStack();
  const { eventStoreUrl, readDbUrl } = await claimDatabases(config, stack);
  const keeper = await openStoreKeeper(eventStoreUrl);
  stack.defer(() => keeper.close());
  const onRenumbered = (events: number): void => terminal.progress(`${events} events have a new place`);
  const adoption = await keeper.adopt({ signal, onRenumbered });
  terminal.progress('');
  const forgotten = await emptyViews(readDbUrl, stack);
  const snapshots = await openSharedSnapshots(config.cacheUrl, stack);
  if (snapshots !== null) await forgetSnapshots(snapshots, terminal);
  const location = storeLocation(config.eventStoreUrl);
  if (location !== null) await rememberEpoch(config.dataDir, location, adoption.epoch);
  const result = { ...adoption, forgotten };
  terminal.print(options.json === true ? JSON.stringify(result, null, 2) : toText(result));
  return exitCodes.done;
}

/** @returns whose checkpoints are gone */
async function emptyViews(readDbUrl: string, stack: AsyncDisposableStack): Promise<readonly string[]> {
  const readStore = openReadStore(readDbUrl);
  stack.defer(() => readStore.close());
  const consumers = (await readStore.checkpoints()).map(({ consumer }) => consumer);
  await readStore.clearAll();
  return [...new Set(consumers)];
}

/** A cache that is away now says another epoch when it is back, and the writer drops all of it. */
async function forgetSnapshots(snapshots: OrderSnapshots, terminal: VerbContext['terminal']): Promise<void> {
  try {
    await dropSnapshots(snapshots);
  } catch (error) {
    if (!isOperationalFailure(error, 'SNAPSHOTS_UNAVAILABLE')) throw error;
    terminal.note('the cache does not answer: its snapshots are dropped when the snapshot writer reaches it');
  }
}

type Result = { readonly epoch: string; readonly formerEpoch: string; readonly renumbered: number } & {
  readonly forgotten: readonly string[];
};

function toText({ epoch, formerEpoch, renumbered, forgotten }: Result): string {
  return toTable([
    ['epoch', epoch],
    ['former epoch', formerEpoch],
    ['events with a new place', String(renumbered)],
    ['to be rebuilt', forgotten.length === 0 ? 'nothing' : forgotten.join(', ')],
    ['next', 'npm start rebuilds the views; npx order-center verify checks them'],
  ]);
}
