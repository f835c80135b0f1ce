import { readConfig } from '../../../infra/config/config.ts';
import { refuseForeignStore } from '../../../infra/epoch/refuse-foreign-store.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import type { ReadStore } from '../../../infra/read-store/port.ts';
import { projections } from '../../../projections/all.ts';
import type { Projection } from '../../../projections/projection.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import { findDatabases } from '../databases.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import type { VerbContext } from '../verb.ts';
import { mendOrder } from './mend-order.ts';
import { mendView } from './mend-view.ts';

export type RebuildVerbOptions = {
  readonly order?: OrderId;
  readonly verifyOnly?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
};

/** What the ways to rebuild work with. */
export type Rebuilding = {
  readonly context: VerbContext;
  readonly store: EventStore;
  readonly readStore: ReadStore;
  readonly readDbUrl: string;
  readonly cacheUrl: string | null;
  readonly projection: Projection;
  readonly isRunning: boolean;
  readonly stack: AsyncDisposableStack;
};

/**
 * Builds a view, or one order's documents in it, anew from the log; or only compares the view with the log.
 * @returns the exit code: 1 where the view is not its fold
 */
export async function rebuildVerb(context: VerbContext, name: string, options: RebuildVerbOptions): Promise<number> {
  const { env, terminal } = context;
  const projection = projections.find(({ view }) => view.name === name);
  if (projection === undefined) {
    const names = projections.map(({ view }) => view.name).join(', ');
    terminal.note(`order-center: there is no projection ${name}: choose one of ${names}`);
    return exitCodes.usage;
  }
  if (options.verifyOnly !== true && options.yes !== true) {
    terminal.note(options.order === undefined ? planOfView(name) : planOfOrder(name, options.order));
    return exitCodes.usage;
  }
  await using stack = new AsyncDisposableStack();
  const config = readConfig(env);
  const { eventStoreUrl, readDbUrl, isRunning } = await findDatabases(config, stack);
  const stores = await openStores({ eventStoreUrl, readDbUrl }, stack);
  const { cacheUrl } = config;
  const rebuilding = { ...stores, context, projection, readDbUrl, cacheUrl, isRunning, stack };
  return options.order === undefined
    ? await mendView(rebuilding, options)
    : await mendOrder(rebuilding, { ...options, order: options.order });
}

function planOfView(name: string): string {
  const would = `would empty the view and fill it from the log; readers find it incomplete meanwhile`;
  const next = 'stop what keeps the view, then repeat with --yes; with --verify-only it just compares, at any time';
  return `order-center: rebuild ${name} ${would}. Nothing was done: ${next}`;
}

function planOfOrder(name: string, orderId: OrderId): string {
  const would = "would fold the order's events again and write what differs";
  return `order-center: rebuild ${name} --order ${orderId} ${would}. Nothing was done: repeat with --yes, while all runs`;
}

type Urls = { readonly eventStoreUrl: string; readonly readDbUrl: string };

async function openStores(
  { eventStoreUrl, readDbUrl }: Urls,
  stack: AsyncDisposableStack,
): Promise<Pick<Rebuilding, 'store' | 'readStore'>> {
  if (readDbUrl.startsWith('memory:')) {
    throw new CommandFailure('READ_DB_URL is memory: no other process can reach its views');
  }
  const store = await openEventStore(eventStoreUrl);
  stack.defer(() => store.close());
  const readStore = openReadStore(readDbUrl);
  stack.defer(() => readStore.close());
  await refuseForeignStore({ store, readStore, memory: null });
  return { store, readStore };
}
