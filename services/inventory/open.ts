import type { EventStore } from '../../infra/event-store/port.ts';
import { settled, type Settled } from '../../infra/event-store/settled.ts';
import { openTransactor } from '../../infra/event-store/transact.ts';
import type { TransactAnswer } from '../../infra/event-store/transact.ts';
import type { StockCommand } from '../../schemas/commands.ts';
import type { Rejection } from '../../schemas/decision.ts';
import { stockStream } from '../../schemas/ids.ts';
import type { CommandId, EventId, OrderId, TenantId } from '../../schemas/ids.ts';
import { readStockAt } from './read-stock.ts';
import { stockDecider } from './stock-decider.ts';
import { holdOf, isTracked, type StockState } from './stock.ts';

/** One command of a saga on one SKU; repeated under the same id, it is answered as the first time. */
export type StockCall = {
  readonly tenantId: TenantId;
  readonly sku: string;
  readonly orderId: OrderId;
  readonly commandId: CommandId;
  readonly correlationId: string;
  readonly causationId: EventId | null;
};

type Rejected = { readonly outcome: 'rejected'; readonly rejection: Rejection };

/** Stock as fulfillment asks it. Throws what `Transactor.transact` throws. */
export type StockDoor = {
  /** `untracked`: no stock was ever received, so nothing is held and it never sells out. */
  reserve(
    call: StockCall & { readonly quantity: number },
  ): Promise<{ readonly outcome: 'reserved' | 'untracked' } | Rejected>;
  /** What an amended order holds from now on; 0: nothing. */
  change(
    call: StockCall & { readonly quantity: number; readonly orderVersion: number },
  ): Promise<{ readonly outcome: 'reserved' | 'untracked' } | Rejected>;
  release(call: StockCall): Promise<{ readonly outcome: 'released' } | Rejected>;
  deduct(call: StockCall): Promise<{ readonly outcome: 'deducted' } | Rejected>;
};

/** Who asks over HTTP, under which key, and (If-Match) at which version. */
export type StockRequest = {
  readonly tenantId: TenantId;
  readonly commandId: CommandId;
  readonly correlationId: string;
  readonly expectedVersion?: number | undefined;
  /** Answer as the command would be answered now, and store nothing. */
  readonly dryRun?: boolean;
};

export type StockChange = Extract<StockCommand, { readonly type: 'ReceiveStock' | 'AdjustStock' }>;

/** `state` is the stock at `version`, also on a replay. */
export type StockAnswer = TransactAnswer<StockState>;

export type Inventory = {
  readonly door: StockDoor;
  change(request: StockRequest, command: StockChange): Promise<StockAnswer>;
  get(tenantId: TenantId, sku: string): Promise<{ readonly state: StockState; readonly version: number }>;
};

export type InventoryOptions = {
  readonly store: EventStore;
  readonly observe?: (what: 'replayed' | 'conflict') => void;
  /** Told of each deduction that was asked for, and whether it was made. */
  readonly observeDeduction?: (succeeded: boolean) => void;
};

/** The service that decides stock: one stream a SKU and tenant. */
export function openInventory({ store, observe, observeDeduction }: InventoryOptions): Inventory {
  const transactor = openTransactor(store, { decider: stockDecider, ...(observe === undefined ? {} : { observe }) });
  const send = async (call: StockCall, command: StockCommand): Promise<Settled<StockState>> => {
    const { tenantId, sku, commandId, correlationId, causationId } = call;
    const stream = stockStream(tenantId, sku);
    const ids = { tenantId, stream, commandId, correlationId, causationId };
    return settled(await transactor.transact({ ...ids, command, payload: command, answers: 'recomputed' }));
  };
  return {
    door: {
      reserve: async (call) => {
        const { sku, orderId, quantity } = call;
        return reservation(call, await send(call, { type: 'ReserveStock', sku, orderId, quantity }));
      },
      change: async (call) => {
        const { sku, orderId, quantity, orderVersion } = call;
        const command = { type: 'ChangeReservation', sku, orderId, quantity, orderVersion } as const;
        return reservation(call, await send(call, command));
      },
      release: async (call) => {
        const answer = await send(call, { type: 'ReleaseStock', sku: call.sku, orderId: call.orderId });
        return answer.outcome === 'rejected' ? answer : { outcome: 'released' };
      },
      deduct: async (call) => {
        const answer = await send(call, { type: 'DeductStock', sku: call.sku, orderId: call.orderId });
        observeDeduction?.(answer.outcome === 'accepted');
        return answer.outcome === 'rejected' ? answer : { outcome: 'deducted' };
      },
    },
    change: async (request, command) => {
      const { type, sku, ...body } = command;
      const { expectedVersion, dryRun = false, ...ids } = request;
      const stream = stockStream(request.tenantId, sku);
      const answer = await transactor[dryRun ? 'preview' : 'transact']({
        ...ids,
        stream,
        command,
        payload: { type, target: sku, body },
        causationId: null,
        ...(expectedVersion === undefined ? {} : { expectedVersion }),
        answers: 'durable',
      });
      if (answer.outcome !== 'accepted' || !answer.replayed) return answer;
      return { ...answer, state: await readStockAt(store, stream, answer.version) };
    },
    get: (tenantId, sku) => transactor.load(tenantId, stockStream(tenantId, sku)),
  };
}

/** A repeat may be answered from its receipt, after the units were given back: what holds now counts. */
function reservation(
  { sku, orderId }: StockCall,
  answer: Settled<StockState>,
): Awaited<ReturnType<StockDoor['reserve']>> {
  if (answer.outcome === 'rejected') return answer;
  if (!isTracked(answer.state)) return { outcome: 'untracked' };
  if (holdOf(answer.state, orderId)?.status !== 'Released') return { outcome: 'reserved' };
  return { outcome: 'rejected', rejection: { code: 'RESERVATION_NOT_FOUND', detail: `${sku} was released` } };
}
