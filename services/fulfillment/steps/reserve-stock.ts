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
          await releaseAll(world, call, result);
          return refused(answer.rejection.code);
        }
        result[skuKey(sku)] = answer.outcome === 'reserved' ? 'tracked' : 'untracked';
      }
      return succeeded(result);
    },
    undo: async (call) => {
      await releaseAll(world, call, call.undoes?.result ?? {});
      return succeeded();
    },
  };
}

/** Takes what is held out of the stock: it left the building. */
export async function deductStock({ inventory }: WithInventory, call: StepCall): Promise<void> {
  for (const sku of trackedSkus(call.results['reserve'] ?? {})) {
    const answer = await inventory.deduct(stockRequest(call, sku, 'deduct'));
    if (answer.outcome === 'rejected') throw new Error(`the stock refused to deduct with ${answer.rejection.code}`);
  }
}

async function releaseAll({ inventory }: WithInventory, call: StepCall, reserved: StepResult): Promise<void> {
  for (const sku of trackedSkus(reserved).reverse()) {
    const answer = await inventory.release(stockRequest(call, sku, 'release'));
    const isFree = answer.outcome === 'released' || answer.rejection.code === 'RESERVATION_NOT_FOUND';
    if (!isFree) throw new Error(`the stock refused to release with ${answer.rejection.code}`);
  }
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

function skuKey(sku: string): string {
  return `sku:${sku}`;
}

function trackedSkus(result: StepResult): string[] {
  return Object.keys(result)
    .filter((key) => result[key] === 'tracked')
    .map((key) => key.slice('sku:'.length))
    .sort();
}
