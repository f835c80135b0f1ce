import { httpLogistics } from './http/logistics.ts';
import { memoryLogistics } from './memory.ts';
import type { Logistics } from './port.ts';

/**
 * Opens the adapter that the URL's scheme names: `http:`, `https:` or `memory:`.
 * @throws Error for another scheme; configuration is wrong, so the start fails
 */
export function openLogistics(url: string): Logistics {
  switch (new URL(url).protocol) {
    case 'http:':
    case 'https:':
      return httpLogistics(url);
    case 'memory:':
      return memoryLogistics();
    default:
      throw new Error('logistics: the URL must start with http:, https: or memory:');
  }
}
