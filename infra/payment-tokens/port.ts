import type { OrderId, TenantId } from '../../schemas/ids.ts';

export type PaymentToken = {
  readonly tenantId: TenantId;
  readonly orderId: OrderId;
  readonly paymentId: string;
  readonly token: string;
};

/**
 * Card tokens between the placement and the authorization: never in an event, a log or a view, and gone after a day.
 * Throws OperationalFailure STORE_UNAVAILABLE (retryable).
 */
export type PaymentTokens = {
  /** Durable when it resolves; many calls share one statement; a repeat keeps the first. Awaited before the placement's append. */
  put(tokens: readonly PaymentToken[]): Promise<void>;
  /** null where none was given or it has lapsed. */
  find(tenantId: TenantId, orderId: OrderId, paymentId: string): Promise<string | null>;
  /** After the last use. */
  remove(tenantId: TenantId, orderId: OrderId): Promise<void>;
  close(): Promise<void>;
};
