import type { CommandDoor } from '../../infra/command-door/port.ts';
import type { Logistics } from '../../infra/logistics/port.ts';
import type { PaymentTokens } from '../../infra/payment-tokens/port.ts';
import type { Payments } from '../../infra/payments/port.ts';
import type { Risk } from '../../infra/risk/port.ts';
import type { OrderDoorCommand } from '../../schemas/commands.ts';
import type { Rejection } from '../../schemas/decision.ts';
import type { CommandId, EventId, OrderId, TenantId } from '../../schemas/ids.ts';

/** One command on one SKU's stock. The same command id is answered as the first time, whatever came in between. */
export type StockRequest = {
  readonly tenantId: TenantId;
  readonly sku: string;
  readonly orderId: OrderId;
  readonly commandId: CommandId;
  readonly correlationId: string;
  readonly causationId: EventId | null;
};

export type ReserveRequest = StockRequest & { readonly quantity: number };

/** `quantity` 0: none any more. `orderVersion`: of the order after the amendment; an earlier one that comes late changes nothing. */
export type ChangeReservationRequest = ReserveRequest & { readonly orderVersion: number };

export type StockRejected = { readonly outcome: 'rejected'; readonly rejection: Rejection };

/**
 * The stock in the saga's words. Throws OperationalFailure; a repeat is safe.
 * `untracked`: no stock was ever received for the SKU, so it never sells out, and nothing is held.
 */
export type Inventory = {
  reserve(request: ReserveRequest): Promise<{ readonly outcome: 'reserved' | 'untracked' } | StockRejected>;
  /** What an amended order holds from now on: what it keeps stays held. */
  change(request: ChangeReservationRequest): Promise<{ readonly outcome: 'reserved' | 'untracked' } | StockRejected>;
  /** Rejected with RESERVATION_NOT_FOUND where nothing is held for the order. */
  release(request: StockRequest): Promise<{ readonly outcome: 'released' } | StockRejected>;
  /** Rejected with RESERVATION_NOT_FOUND where nothing is held for the order. */
  deduct(request: StockRequest): Promise<{ readonly outcome: 'deducted' } | StockRejected>;
};

/** Everything that the steps act on. */
export type World = {
  readonly risk: Risk;
  readonly inventory: Inventory;
  readonly payments: Payments;
  readonly logistics: Logistics;
  readonly orders: CommandDoor<OrderDoorCommand>;
  readonly tokens: Pick<PaymentTokens, 'find' | 'remove'>;
};
