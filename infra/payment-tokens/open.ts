import { openMemoryPaymentTokens } from './memory/memory-payment-tokens.ts';
import type { PaymentTokens } from './port.ts';
import { openPostgresPaymentTokens } from './postgres/postgres-payment-tokens.ts';

/** The URL's scheme chooses the adapter: `postgres://…` or `memory:`. */
export function openPaymentTokens(url: string): Promise<PaymentTokens> {
  return url.startsWith('memory:') ? Promise.resolve(openMemoryPaymentTokens()) : openPostgresPaymentTokens(url);
}
