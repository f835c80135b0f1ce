import { OperationalFailure } from '../failures.ts';

/** The cache did not help; whatever was asked of it may be repeated. */
export function snapshotsUnavailable(detail: string, cause?: unknown): OperationalFailure {
  return new OperationalFailure('SNAPSHOTS_UNAVAILABLE', detail, { retryable: true, cause });
}
