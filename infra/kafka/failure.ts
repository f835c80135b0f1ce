import { isOperationalFailure, OperationalFailure } from '../failures.ts';

/** What the driver threw, as ours: always worth another try, for the broker may come back and the topic be made. */
export function kafkaFailure(error: unknown, what: string): OperationalFailure {
  if (isOperationalFailure(error)) return error;
  const { name, type } = rootOf(error);
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') {
    return new OperationalFailure('EVENT_TOO_LARGE', `${what}: ${type}`, { retryable: false, cause: error });
  }
  return new OperationalFailure('KAFKA_UNAVAILABLE', `${what}: ${type ?? name}`, { retryable: true, cause: error });
}

type Named = { readonly name: string; readonly type: string | undefined };

const causesMax = 5;

/** The driver wraps what the broker said into what it did about it. */
function rootOf(error: unknown, depth = 0): Named {
  if (!(error instanceof Error)) return { name: 'unknown', type: undefined };
  const { type } = error as { readonly type?: unknown };
  if (typeof type === 'string') return { name: error.name, type };
  if (error.cause instanceof Error && depth < causesMax) return rootOf(error.cause, depth + 1);
  return { name: error.name, type: undefined };
}

/** The driver's own, as opposed to what came out of a handler of ours. */
export function isDriverError(error: unknown): boolean {
  return error instanceof Error && error.name.startsWith('KafkaJS');
}
