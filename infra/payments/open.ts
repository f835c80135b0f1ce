import { httpPayments } from './http/payments.ts';
import { memoryPayments } from './memory.ts';
import type { Payments } from './port.ts';

/**
 * Opens the adapter that the URL's scheme names: `http:`, `https:` or `memory:`.
 * @throws Error for another scheme; configuration is wrong, so the start fails
 */
export function openPayments(url: string): Payments {
  switch (new URL(url).protocol) {
    case 'http:':
    case 'https:':
      return httpPayments(url);
    case 'memory:':
      return memoryPayments();
    default:
      throw new Error('payments: the URL must start with http:, https: or memory:');
  }
}
