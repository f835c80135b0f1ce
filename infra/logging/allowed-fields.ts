import { isOperationalFailure } from '../failures.ts';

/**
 * The names that a log line may hold, besides `err`. Ids of orders, commands, streams and subjects' rows are no personal
 * data; what a customer or shop typed is never one of these.
 */
const names = new Set([
  'action',
  'attempt',
  'attemptsMax',
  'backend',
  'batch',
  'bytes',
  'category',
  'checkpoint',
  'cleared',
  'code',
  'commandId',
  'consumer',
  'correlationId',
  'count',
  'dataDir',
  'delayMs',
  'direction',
  'dependency',
  'durationMs',
  'effectKey',
  'epoch',
  'eventId',
  'events',
  'from',
  'host',
  'kind',
  'lagMs',
  'lease',
  'limit',
  'loop',
  'method',
  'migration',
  'name',
  'offset',
  'operation',
  'orderId',
  'orders',
  'outcome',
  'partition',
  'pid',
  'port',
  'position',
  'projection',
  'queue',
  'reason',
  'restartInMs',
  'revision',
  'role',
  'route',
  'shard',
  'signal',
  'state',
  'status',
  'step',
  'stream',
  'tenantId',
  'timerId',
  'timeoutMs',
  'to',
  'topic',
  'traceId',
  'type',
  'url',
  'version',
  'view',
  'what',
]);

const textMax = 300;
const causesMax = 4;
const framesMax = 12;

/** What is left of a log object: known names with plain values, and errors without a word that input may have written. */
export function allowedFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const allowed: Record<string, unknown> = {};
  const dropped: string[] = [];
  for (const [name, value] of Object.entries(fields)) {
    if (value instanceof Error) allowed[name === 'error' ? 'err' : name] = describeError(value);
    else if (names.has(name) && isPlain(value)) allowed[name] = shorten(value);
    else if (value !== undefined) dropped.push(name.slice(0, 40));
  }
  if (dropped.length > 0) allowed['dropped'] = dropped.slice(0, 10);
  return allowed;
}

type Described = {
  readonly type: string;
  readonly code?: string;
  readonly message?: string;
  readonly stack?: readonly string[];
  readonly cause?: Described;
};

/**
 * An error's type, code and place. Messages are kept where our code or V8 wrote every word; those of drivers and
 * parsers quote values ("Key (email)=(…)", "Unexpected token … in …").
 */
function describeError(error: Error, depth = 1): Described {
  const { code } = error as { readonly code?: unknown };
  const cause = error.cause instanceof Error && depth < causesMax ? describeError(error.cause, depth + 1) : undefined;
  return {
    type: error.name,
    ...(typeof code === 'string' ? { code: code.slice(0, 60) } : {}),
    ...(isOurWords(error) ? { message: error.message.slice(0, textMax) } : {}),
    ...(error.stack === undefined ? {} : { stack: framesOf(error.stack) }),
    ...(cause === undefined ? {} : { cause }),
  };
}

function isOurWords(error: Error): boolean {
  return (
    isOperationalFailure(error) ||
    error instanceof TypeError ||
    error instanceof ReferenceError ||
    // Node's system errors: "connect ECONNREFUSED 127.0.0.1:5432".
    'syscall' in error
  );
}

/** The stack without its first lines: they repeat the message. */
function framesOf(stack: string): readonly string[] {
  return stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .slice(0, framesMax)
    .map((line) => line.trim());
}

function isPlain(value: unknown): boolean {
  return value === null || ['string', 'number', 'boolean', 'bigint'].includes(typeof value);
}

function shorten(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  return typeof value === 'string' && value.length > textMax ? `${value.slice(0, textMax)}…` : value;
}
