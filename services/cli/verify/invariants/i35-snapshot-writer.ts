import { setTimeout as wait } from 'node:timers/promises';

import { snapshotWriter, type StoredSnapshot } from '../../../../infra/order-snapshots/port.ts';
import type { Position, RecordedEvent } from '../../../../schemas/envelope.ts';
import { orderStream } from '../../../../schemas/ids.ts';
import { noViolations, type Finding, type Invariant, type VerifyInput, type ViolationList } from '../invariant.ts';
import { openStreamHeads, type StreamHeads } from '../stream-heads.ts';
import { withSnapshots } from '../with-snapshots.ts';

/**
 * The writer's checkpoint promises that the cache took everything up to it: a long-lived snapshot that is older than
 * its order was there is one that the writer passed without the cache's answer, or that a cache lost and nobody
 * noticed. While the system runs and nothing happens, the writer comes to the end of the log.
 */
export const snapshotWriterArrives: Invariant = {
  id: 'I35',
  statement: "The snapshot writer passes no event without the cache's answer, and catches up.",
  check: (input) => {
    const heads = openStreamHeads();
    let last: Position | null = null;
    return {
      see: (event) => {
        heads.see(event);
        if (isOfOrder(event)) last = event.position;
      },
      finish: () => withSnapshots(input, (snapshots) => checkWriter(input, { snapshots, heads, last })),
    };
  },
};

type Seen = {
  readonly snapshots: AsyncIterable<StoredSnapshot>;
  readonly heads: StreamHeads;
  /** The last event of an order when the log was read. */
  readonly last: Position | null;
};

async function checkWriter(input: VerifyInput, { snapshots, heads, last }: Seen): Promise<Finding> {
  if (last === null) return { notChecked: 'no order has happened yet' };
  const violations = noViolations();
  const isBehind = await isBehindFor(input, last);
  if (isBehind && input.readVersion !== null) violations.add('the writer is behind the log, and does not catch up');
  const checked = 1 + (await checkSnapshots(input, { snapshots, heads, violations }));
  const remark = isBehind ? { remark: 'the snapshot writer is behind the log' } : {};
  return { checked, violations, ...remark };
}

type Checking = Omit<Seen, 'last'> & { readonly violations: ViolationList };

async function checkSnapshots(input: VerifyInput, { snapshots, heads, violations }: Checking): Promise<number> {
  // The checkpoint first: what is written after it only makes snapshots newer.
  const revisionAt = await heads.at(input, await checkpointOf(input));
  let checked = 0;
  for await (const { tenantId, orderId, snapshot, tier } of snapshots) {
    input.signal.throwIfAborted();
    if (tier === 'fill' || snapshot.parked) continue;
    checked += 1;
    const version = revisionAt(orderStream(orderId)) + 1;
    if (snapshot.version >= version) continue;
    violations.add(
      `the writer passed order ${orderId} of ${tenantId} at version ${version}; its snapshot is at ${snapshot.version}`,
    );
  }
  return checked;
}

const lookEveryMs = 250;

/** Whether the writer has not come to a place within the patience; at once where nothing runs that could move it. */
async function isBehindFor(input: VerifyInput, place: Position): Promise<boolean> {
  const giveUpAt = Date.now() + (input.readVersion === null ? 0 : input.patienceMs);
  for (;;) {
    const checkpoint = await checkpointOf(input);
    if (checkpoint !== null && input.store.comparePositions(checkpoint, place) >= 0) return false;
    if (Date.now() >= giveUpAt) return true;
    await wait(lookEveryMs, undefined, { signal: input.signal });
  }
}

function checkpointOf({ views }: VerifyInput): Promise<Position | null> {
  return views.loadCheckpoint(snapshotWriter, 'log');
}

function isOfOrder({ stream }: RecordedEvent): boolean {
  return stream.startsWith('order-');
}
