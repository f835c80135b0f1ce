import { pino } from 'pino';
import type { DestinationStream, Logger } from 'pino';
import { allowedFields } from './allowed-fields.ts';

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export type LogOptions = {
  /** The process's role, on each line. */
  readonly role: string;
  readonly level: LogLevel;
  /** stdout where absent. */
  readonly destination?: DestinationStream;
};

/**
 * Structured logs, one JSON object a line. What may be written is an allow-list (allowed-fields.ts): a body, token,
 * address, email or header cannot come in by accident, because no field of that name is let through.
 */
export function openLog({ role, level, destination }: LogOptions): Logger {
  const options = {
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }), log: allowedFields },
    // allowedFields has made the error plain before pino's own serializer, which copies every property, could see it.
    serializers: {},
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
