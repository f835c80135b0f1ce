import { orderSummary } from '../../../projections/order-summary/projection.ts';
import type { OrderId } from '../../../schemas/ids.ts';
import { exitCodes } from '../failure.ts';
import { dropSnapshotOf, openSharedSnapshots } from '../snapshots-of.ts';
import { toTable } from '../terminal.ts';
import { rebuildOrder, type RebuiltOrder } from './rebuild-order.ts';
import type { Rebuilding } from './rebuild-verb.ts';

export type MendOrderOptions = { readonly order: OrderId; readonly json?: boolean };

/** One order's documents, also while the system runs. */
export async function mendOrder(rebuilding: Rebuilding, { order, json }: MendOrderOptions): Promise<number> {
  const { context, projection } = rebuilding;
  const { terminal } = context;
  const rebuilt = await rebuildOrder({ ...rebuilding, orderId: order });
  if (projection.view.name === orderSummary.view.name) await forgetSnapshot(rebuilding, order, rebuilt);
  const { outcome, documents, parked } = rebuilt;
  const result = { projection: projection.view.name, order, outcome, documents, parked };
  terminal.print(json === true ? JSON.stringify(result, null, 2) : toTable(Object.entries(result).map(toField)));
  if (parked) terminal.note('its later events are parked: see npx order-center parking show');
  return exitCodes.done;
}

async function forgetSnapshot(
  { cacheUrl, isRunning, context, stack }: Rebuilding,
  orderId: OrderId,
  { outcome, tenantId }: RebuiltOrder,
): Promise<void> {
  const snapshots = await openSharedSnapshots(cacheUrl, stack);
  if (snapshots !== null) await dropSnapshotOf(snapshots, tenantId, orderId);
  else if (isRunning && outcome === 'rebuilt') {
    context.terminal.note(
      'the running system has a cache of its own, which may hold the old answer until it is restarted',
    );
  }
}

function toField([name, value]: readonly [string, string | number | boolean]): readonly string[] {
  return [name, String(value)];
}
