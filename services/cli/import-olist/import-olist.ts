import { openApi } from '../api.ts';
import type { Api } from '../api.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { findUrl } from '../running-system.ts';
import { toTable } from '../terminal.ts';
import type { VerbContext } from '../verb.ts';
import type { TenantId } from '../../../schemas/ids.ts';
import { toBackfill, toFigures, UnreadableRow } from './olist-order.ts';
import type { BackfillBody, OlistOrder } from './olist-order.ts';
import { postOrders } from './post-orders.ts';
import type { PostedOrders } from './post-orders.ts';
import { readOlist } from './read-olist.ts';
import { readViews } from './read-views.ts';
import { reconcile } from './reconcile.ts';
import type { Reconciliation } from './reconcile.ts';

export type ImportOptions = {
  readonly url?: string;
  readonly tenant: TenantId;
  readonly concurrency: number;
  readonly json?: boolean;
  /** How long views may stand still before the reconciliation takes them as they are; for tests. */
  readonly patienceMs?: number;
};

/**
 * Imports a folder of Olist files through the public API, then compares the files with the views.
 * @returns the exit code: 1 where an order was refused or anything differs
 */
export async function importOlist(context: VerbContext, folder: string, options: ImportOptions): Promise<number> {
  const { env, terminal, signal } = context;
  const bodies = mapped(await readOlist(folder));
  const url = await findUrl(env, options.url);
  const sessionOptions = { url, tenantId: options.tenant, signal };
  await findSystem(openApi({ ...sessionOptions, attemptsMax: 3 }));
  const api = openApi(sessionOptions);
  const onProgress = (done: number): void => terminal.progress(`${done} of ${bodies.length} orders`);
  const posted = await postOrders(api, bodies, { concurrency: options.concurrency, onProgress });
  terminal.progress('');
  const figures = bodies.map(toFigures);
  const expected = new Map(figures.map((order) => [order.reference, order]));
  const { tenant: tenantId, concurrency, patienceMs } = options;
  const patience = patienceMs === undefined ? {} : { patienceMs };
  const placed = placedRange(bodies);
  const seen = await readViews(api, expected, { tenantId, concurrency, signal, placed, ...patience });
  const result = reconcile(figures, seen);
  terminal.print(options.json === true ? toJson(posted, result) : toText(posted, result));
  return posted.refused.size === 0 && result.differences.length === 0 ? exitCodes.done : exitCodes.failed;
}

function mapped(orders: readonly OlistOrder[]): readonly BackfillBody[] {
  if (orders.length === 0) throw new CommandFailure('the orders file holds no order');
  try {
    return orders.map(toBackfill);
  } catch (error) {
    if (error instanceof UnreadableRow) throw new CommandFailure(`nothing was imported: ${error.message}`);
    throw error;
  }
}

async function findSystem(api: Api): Promise<void> {
  const answer = await api.call({ path: '/livez' }).catch((error: unknown) => {
    if (!(error instanceof CommandFailure)) throw error;
    throw new CommandFailure(`${error.message}; the import needs a running system: npm start, or --url`);
  });
  if (answer.status >= 300) throw new CommandFailure(`${api.url} is not an order-center: /livez says ${answer.status}`);
}

const dayMs = 86_400_000;

/** A day more on both sides, so that no reading of "from" and "to" leaves an order out. */
function placedRange(bodies: readonly BackfillBody[]): { readonly from: string; readonly to: string } {
  const times = bodies.map(({ occurredAt = '' }) => Date.parse(occurredAt));
  const first = times.reduce((a, b) => Math.min(a, b));
  const last = times.reduce((a, b) => Math.max(a, b));
  return { from: new Date(first - dayMs).toISOString(), to: new Date(last + dayMs).toISOString() };
}

const listedMax = 20;

function toJson({ imported, alreadyThere, refused }: PostedOrders, { rows, differences }: Reconciliation): string {
  return JSON.stringify({ imported, alreadyThere, refused: Object.fromEntries(refused), rows, differences }, null, 2);
}

function toText(posted: PostedOrders, { rows, differences }: Reconciliation): string {
  const { imported, alreadyThere, refused } = posted;
  const table = toTable([
    ['', 'files', 'views', 'difference'],
    ...rows.map(({ measure, files, views, difference }) => [measure, files, views, difference]),
  ]);
  const refusals = [...refused].map(([reference, problem]) => `${reference} was refused: ${problem}`);
  return [
    `${imported} imported, ${alreadyThere} already there, ${refused.size} refused (money in centavos)`,
    table,
    ...listed(refusals),
    ...listed(differences),
    differences.length === 0 ? 'no difference' : `${differences.length} differences`,
  ].join('\n');
}

function listed(lines: readonly string[]): readonly string[] {
  const more = lines.length - listedMax;
  return more > 0 ? [...lines.slice(0, listedMax), `… and ${more} more`] : lines;
}
