import { describe, expect, it } from 'vitest';
import { openMemoryEventStore } from '../../infra/event-store/memory/memory-event-store.ts';
import type { CommandId, OrderId, TenantId } from '../../schemas/ids.ts';
import { openInventory, type Inventory, type StockCall } from './open.ts';

const tenantId = 'default' as TenantId;
const orderId = '8c1d3a57-6a5e-5b67-9a5e-3b1f0c6c1f10' as OrderId;

function call(commandId: string): StockCall {
  return { tenantId, sku: 'tea', orderId, commandId: commandId as CommandId, correlationId: 'c', causationId: null };
}

async function withTea(quantity: number): Promise<Inventory> {
  const inventory = openInventory({ store: openMemoryEventStore() });
  const request = { tenantId, commandId: 'receipt' as CommandId, correlationId: 'c' };
  await inventory.change(request, { type: 'ReceiveStock', sku: 'tea', quantity });
  return inventory;
}

describe('the stock door of the sagas', () => {
  it('tells an untracked SKU from a reserved one', async () => {
    const { door } = openInventory({ store: openMemoryEventStore() });
    expect(await door.reserve({ ...call('r1'), quantity: 3 })).toEqual({ outcome: 'untracked' });
    const tracked = await withTea(3);
    expect(await tracked.door.reserve({ ...call('r1'), quantity: 3 })).toEqual({ outcome: 'reserved' });
    expect(await tracked.door.reserve({ ...call('r1'), quantity: 3 })).toEqual({ outcome: 'reserved' });
  });

  it('does not claim units that were given back, when an old reservation is repeated', async () => {
    const { door } = await withTea(3);
    await door.reserve({ ...call('r1'), quantity: 3 });
    await door.release(call('r2'));
    const repeated = await door.reserve({ ...call('r1'), quantity: 3 });
    expect(repeated).toMatchObject({ outcome: 'rejected', rejection: { code: 'RESERVATION_NOT_FOUND' } });
  });

  it('deducts what is reserved, once', async () => {
    const inventory = await withTea(3);
    await inventory.door.reserve({ ...call('r1'), quantity: 2 });
    expect(await inventory.door.deduct(call('d1'))).toEqual({ outcome: 'deducted' });
    expect(await inventory.door.deduct(call('d1'))).toEqual({ outcome: 'deducted' });
    expect(await inventory.door.deduct(call('d2'))).toEqual({ outcome: 'deducted' });
    const { state } = await inventory.get(tenantId, 'tea');
    expect(state).toMatchObject({ onHand: 1, reserved: 0 });
  });
});
