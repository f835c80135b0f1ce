import { readConfig } from '../../../infra/config/config.ts';
import { openStoreKeeper } from '../../../infra/event-store/open.ts';
import type { StoreState } from '../../../infra/event-store/keeper.ts';
import { comparePlaces, isPosition, toPlace } from '../../../infra/event-store/position.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import type { StoredCheckpoint } from '../../../infra/read-store/port.ts';
import { findDatabases, type Databases } from '../databases.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { toTable } from '../terminal.ts';
import type { VerbContext } from '../verb.ts';

export type ShowStoreOptions = { readonly json?: boolean };

/** What the event store is, and who follows it; also of one that no process would open. Changes nothing. */
export async function showStore({ env, terminal }: VerbContext, options: ShowStoreOptions): Promise<number> {
  await using stack = new AsyncDisposableStack();
  const databases = await findDatabases(readConfig(env), stack);
  const keeper = await openStoreKeeper(databases.eventStoreUrl);
  stack.defer(() => keeper.close());
  const state = await keeper.state();
  if (state === null)
    throw new CommandFailure('there is no event store in this database yet: the first start makes it');
  const consumers = (await checkpointsOf(databases, stack)).map((checkpoint) => ({
    ...checkpoint,
    stands: standing(state, checkpoint),
  }));
  terminal.print(options.json === true ? JSON.stringify({ ...state, consumers }, null, 2) : toText(state, consumers));
  return exitCodes.done;
}

type Consumer = StoredCheckpoint & {
  readonly stands: 'at the head' | 'behind' | 'beyond the head' | 'in another epoch';
};

async function checkpointsOf(
  { readDbUrl }: Databases,
  stack: AsyncDisposableStack,
): Promise<readonly StoredCheckpoint[]> {
  const readStore = openReadStore(readDbUrl);
  stack.defer(() => readStore.close());
  return readStore.checkpoints();
}

/** Only what the position itself tells: whether the store has such an event is asked by a start and by `verify`. */
function standing({ epoch, head }: StoreState, { position }: StoredCheckpoint): Consumer['stands'] {
  if (!isPosition(position) || !position.startsWith(`${epoch.slice(0, 8)}.`)) return 'in another epoch';
  const order = head === null ? 1 : comparePlaces(toPlace(epoch, position), toPlace(epoch, head));
  if (order === 0) return 'at the head';
  return order < 0 ? 'behind' : 'beyond the head';
}

function toText(state: StoreState, consumers: readonly Consumer[]): string {
  const fields = [
    ['epoch', state.epoch],
    ...state.formerEpochs.map(({ epoch, endedAt }) => ['former epoch', `${epoch}, until ${endedAt}`]),
    ['events', `${state.events} in ${state.streams} streams`],
    [
      'head',
      state.head === null ? 'none: the store is empty' : `${state.head}, recorded ${state.lastRecordedAt ?? '?'}`,
    ],
    ...(state.isAhead ? [['places', 'ahead of this server: it was restored from another one; see store adopt']] : []),
    ...consumers.map(({ consumer, position, stands }) => [consumer, `${stands}, ${position}`]),
  ];
  return toTable(fields);
}
