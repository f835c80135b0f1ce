import { isOperationalFailure } from '../../../infra/failures.ts';
import type { StoredSnapshot } from '../../../infra/order-snapshots/port.ts';
import type { Finding, VerifyInput } from './invariant.ts';

/** A check over all snapshots, where there are any that processes share and their cache answers. */
export async function withSnapshots(
  { snapshots }: Pick<VerifyInput, 'snapshots'>,
  check: (snapshots: AsyncIterable<StoredSnapshot>) => Promise<Finding>,
): Promise<Finding> {
  if (snapshots === null) return { notChecked: 'no CACHE_URL: each process has snapshots of its own' };
  try {
    return await check(snapshots.scan());
  } catch (error) {
    if (!isOperationalFailure(error, 'SNAPSHOTS_UNAVAILABLE')) throw error;
    return { notChecked: 'the cache does not answer' };
  }
}
