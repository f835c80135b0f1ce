import { httpRisk } from './http/risk.ts';
import { memoryRisk } from './memory.ts';
import type { Risk } from './port.ts';

/**
 * Opens the adapter that the URL's scheme names: `http:`, `https:` or `memory:`.
 * @throws Error for another scheme; configuration is wrong, so the start fails
 */
export function openRisk(url: string): Risk {
  switch (new URL(url).protocol) {
    case 'http:':
    case 'https:':
      return httpRisk(url);
    case 'memory:':
      return memoryRisk();
    default:
      throw new Error('risk: the URL must start with http:, https: or memory:');
  }
}
