import { OperationalFailure } from '../failures.ts';

/** A document that its view's columns, or the store, cannot take: the same each time, and no outage. */
export function poisonValue(detail: string, cause: unknown): OperationalFailure {
  return new OperationalFailure('POISON_VALUE', detail, { retryable: false, cause });
}

/** Runs the view's own code on documents. */
export function ofView<Result>(name: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw poisonValue(`a column of ${name}`, error);
  }
}
