import { pino } from 'pino';
import type { DestinationStream, Logger, LoggerOptions } from 'pino';
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
    // allowedFields has made the error plain: pino's own serializer would put messages back together.
    serializers: { err: (described: unknown) => described },
    hooks: { logMethod: withoutForeignMessage },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

type LogCall = Parameters<NonNullable<LoggerOptions['hooks']>['logMethod'] & {}>;

/** Where a line has no words of its own, pino takes the error's message for them; here its type has to do. */
function withoutForeignMessage(this: Logger, args: LogCall[0], write: LogCall[1]): void {
  const [fields, message] = args as readonly unknown[];
  if (typeof message === 'string' || typeof fields === 'string') write.apply(this, args);
  else if (fields instanceof Error) write.call(this, { err: fields }, fields.name);
  else write.call(this, fields as object, '');
}
