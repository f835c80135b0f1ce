import { readConfig } from '../../../infra/config/config.ts';
import { refuseForeignStore } from '../../../infra/epoch/refuse-foreign-store.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import type { EventStore } from '../../../infra/event-store/port.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import type { ReadStore } from '../../../infra/read-store/port.ts';
import { projections } from '../../../projections/all.ts';
import type { Projection } from '../../../projections/projection.ts';
import { claimDatabases, findDatabases, type Databases } from '../databases.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { toTable } from '../terminal.ts';
import type { VerbContext } from '../verb.ts';
import { checkView, type CheckedView } from './check-view.ts';
import { rebuildView } from './rebuild-view.ts';

export type RebuildVerbOptions = {
  readonly verifyOnly?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
};

/**
 * Builds one view anew from the log while its projector is stopped, then compares it with the fold of the log.
 * @returns the exit code: 1 where the view is not its fold
 */
export async function rebuildVerb(context: VerbContext, name: string, options: RebuildVerbOptions): Promise<number> {
  const { env, terminal, signal } = context;
  const projection = projections.find(({ view }) => view.name === name);
  if (projection === undefined) {
    const names = projections.map(({ view }) => view.name).join(', ');
    terminal.note(`order-center: there is no projection ${name}: choose one of ${names}`);
    return exitCodes.usage;
  }
  const isRebuild = options.verifyOnly !== true;
  if (isRebuild && options.yes !== true) {
    terminal.note(plan(name));
    return exitCodes.usage;
  }
  await using stack = new AsyncDisposableStack();
  const config = readConfig(env);
  const databases = isRebuild ? await claimDatabases(config, stack) : await findDatabases(config, stack);
  const stores = await openStores(databases, stack);
  const events = isRebuild ? await rebuilt(context, stores, projection) : null;
  const checked = await checkView({ ...stores, projection, isRunning: databases.httpUrl !== null, signal });
  terminal.progress('');
  const result = { projection: name, ...(events === null ? {} : { events }), ...checked };
  terminal.print(options.json === true ? JSON.stringify(result, null, 2) : toText(result));
  if (checked.remark !== null) terminal.note(checked.remark);
  return checked.differing === 0 ? exitCodes.done : exitCodes.failed;
}

function plan(name: string): string {
  return `order-center rebuild ${name} would empty the view and fill it from the log; readers find it incomplete meanwhile.
Nothing was done: stop the system, then repeat with --yes. With --verify-only it just compares, at any time.`;
}

type OpenedStores = { readonly store: EventStore; readonly readStore: ReadStore };

async function openStores({ eventStoreUrl, readDbUrl }: Databases, stack: AsyncDisposableStack): Promise<OpenedStores> {
  if (readDbUrl === 'memory:') throw new CommandFailure('READ_DB_URL is memory: no other process can reach its views');
  const store = await openEventStore(eventStoreUrl);
  stack.defer(() => store.close());
  const readStore = openReadStore(readDbUrl);
  stack.defer(() => readStore.close());
  await refuseForeignStore({ store, readStore, memory: null });
  return { store, readStore };
}

async function rebuilt(
  { terminal, signal }: VerbContext,
  { store, readStore }: OpenedStores,
  projection: Projection,
): Promise<number> {
  await readStore.prepare([projection.view]);
  const { name } = projection.view;
  const onProgress = (events: number): void => terminal.progress(`${name}: ${events} events`);
  try {
    return await rebuildView({ store, readStore, projection, signal, onProgress });
  } catch (error) {
    if (signal.aborted) terminal.note(`order-center: ${name} is built in part; the next start goes on`);
    throw error;
  }
}

type Result = CheckedView & { readonly projection: string; readonly events?: number };

function toText({ projection, events, documents, digest, differing, examples }: Result): string {
  return toTable([
    ['projection', projection],
    ...(events === undefined ? [] : [['events', String(events)]]),
    ['documents', String(documents)],
    ['digest', digest],
    ['differing from the fold', String(differing)],
    ...examples.map((example) => ['', example]),
  ]);
}
