import type { World } from '../ports.ts';
import type { StepResult } from '../saga-state.ts';
import { commandIdOf, refused, succeeded, type SagaStep, type StepCall } from './step.ts';

type WithInventory = Pick<World, 'inventory'>;

/**
 * Holds the units of every line, SKU by SKU in ascending order, so that two orders cannot wait for each other. Where
 * one is out of stock, what was held is released. The result remembers which SKUs were tracked.
 */
export function reserveStock(world: WithInventory): SagaStep {
  return {
    name: 'reserve',
    run: async (call) => {
      const result: Record<string, string> = {};
      for (const [sku, quantity] of quantitiesOf(call)) {
        const answer = await world.inventory.reserve({ ...stockRequest(call, sku, 'reserve'), quantity });
        if (answer.outcome === 'rejected') {
          await releaseAll(world, call, trackedSkus(result));
          return refused(answer.rejection.code);
        }
        result[skuKey(sku)] = answer.outcome === 'reserved' ? 'tracked' : 'untracked';
      }
      return succeeded(result);
    },
    undo: async (call) => {
      await releaseAll(world, call, trackedSkus(call.undoes?.result ?? {}));
      return succeeded();
    },
  };
}

/**
 * Holds what an amended order wants now. What it keeps stays held, so that nobody takes it in between; what it dropped is
 * free. Where there is too little, all is released: then there is no order to hold for. Undo releases what this
 * amendment brought; what the order held before, the step before releases.
 * @param orderVersion of the order after the amendment
 */
export function changeReservation(world: WithInventory, orderVersion: number): SagaStep {
  return {
    name: `reserve:${orderVersion}`,
    run: async (call) => {
      const wanted = new Map(quantitiesOf(call));
      const skus = [...new Set([...wanted.keys(), ...askedBefore(call)])].sort();
      const result: Record<string, string> = {};
      for (const sku of skus) {
        const quantity = wanted.get(sku) ?? 0;
        const request = { ...stockRequest(call, sku, 'change'), quantity, orderVersion };
        const answer = await world.inventory.change(request);
        if (answer.outcome === 'rejected') {
          await releaseAll(world, call, skus);
          return refused(answer.rejection.code);
        }
        if (quantity > 0) result[skuKey(sku)] = answer.outcome === 'reserved' ? 'tracked' : 'untracked';
      }
      return succeeded(result);
    },
    undo: async (call) => {
      await releaseAll(world, call, trackedSkus(call.undoes?.result ?? {}));
      return succeeded();
    },
  };
}

/** Takes what is held out of the stock: it left the building. */
export async function deductStock({ inventory }: WithInventory, call: StepCall): Promise<void> {
  for (const sku of trackedSkus(reservations(call).at(-1) ?? {})) {
    const answer = await inventory.deduct(stockRequest(call, sku, 'deduct'));
    if (answer.outcome === 'rejected') throw new Error(`the stock refused to deduct with ${answer.rejection.code}`);
  }
}

async function releaseAll({ inventory }: WithInventory, call: StepCall, skus: readonly string[]): Promise<void> {
  for (const sku of [...skus].reverse()) {
    const answer = await inventory.release(stockRequest(call, sku, 'release'));
    const isFree = answer.outcome === 'released' || answer.rejection.code === 'RESERVATION_NOT_FOUND';
    if (!isFree) throw new Error(`the stock refused to release with ${answer.rejection.code}`);
  }
}

/** Results of the reservation and of its changes, in the order in which they were made. */
function reservations({ results }: StepCall): readonly StepResult[] {
  return Object.entries(results).flatMap(([step, result]) => (/^reserve(:|$)/.test(step) ? [result] : []));
}

/** Also what was not tracked: it may be by now, and a late run must not hold it. */
function askedBefore(call: StepCall): readonly string[] {
  return reservations(call).flatMap((result) => Object.keys(result).map((key) => key.slice(skuPrefix.length)));
}

function quantitiesOf({ order }: StepCall): readonly (readonly [string, number])[] {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of order.lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return [...quantities].sort(([a], [b]) => (a < b ? -1 : 1));
}

function stockRequest(call: StepCall, sku: string, what: string) {
  const { tenantId, orderId, correlationId, causationId } = call;
  return { tenantId, orderId, sku, commandId: commandIdOf(call, `${what}/${sku}`), correlationId, causationId };
}

const skuPrefix = 'sku:';

function skuKey(sku: string): string {
  return `${skuPrefix}${sku}`;
}

function trackedSkus(result: StepResult): string[] {
  return Object.keys(result)
    .filter((key) => result[key] === 'tracked')
    .map((key) => key.slice(skuPrefix.length))
    .sort();
}
