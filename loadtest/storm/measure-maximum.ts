import { startPlacing } from '../orders/ledger-client.ts';
import type { PlacingOptions } from '../orders/ledger-client.ts';
import type { Placement } from '../orders/order-bodies.ts';
import type { Fleet } from './fleet.ts';
import { awaitLag, freshAfterMs, mostSeconds, readLag } from './lag.ts';
import { setTimeout as wait } from 'node:timers/promises';

export type Maximum = {
  /** Placements in a second: answered, and visible in every view and snapshot. */
  readonly perSecond: number;
  /** What the door alone answered in a second meanwhile. */
  readonly doorPerSecond: number;
  readonly placed: number;
};

const concurrency = 64;
const warmUpMs = 6_000;
const burstMs = 15_000;
const visibleWithinMs = 120_000;
/** Views that follow the log at this distance keep up. */
const followsSeconds = 0.5;

/**
 * The machine's maximum, the client's own work included: a closed loop keeps the door busy for some seconds, and the
 * clock stops when the views and the snapshots show the last of it. Before that, the same for a while uncounted: code
 * is compiled, and caches fill.
 */
export async function measureMaximum(
  fleet: Fleet,
  placing: Omit<PlacingOptions, 'concurrency' | 'placements'>,
  placements: Iterator<Placement, unknown>,
): Promise<Maximum> {
  await burst(fleet, { placing, placements, forMs: warmUpMs });
  return burst(fleet, { placing, placements, forMs: burstMs });
}

type Burst = {
  readonly placing: Omit<PlacingOptions, 'concurrency' | 'placements'>;
  readonly placements: Iterator<Placement, unknown>;
  readonly forMs: number;
};

async function burst({ projectors }: Fleet, { placing, placements, forMs }: Burst): Promise<Maximum> {
  const beganAt = performance.now();
  const report = await startPlacing({
    ...placing,
    concurrency,
    placements: untilTime(placements, beganAt + forMs),
  }).done;
  const doorMs = performance.now() - beganAt;
  const visibleAt = await awaitVisible(projectors);
  if (visibleAt === null) throw new Error(`the views did not come after the door within ${visibleWithinMs / 1_000} s`);
  if (report.unresolved.length + report.refused.length > 0)
    throw new Error('a placement of the burst was not answered');
  const { acked } = report;
  return {
    perSecond: (acked * 1_000) / (visibleAt - beganAt),
    doorPerSecond: (acked * 1_000) / doorMs,
    placed: acked,
  };
}

/** The first answer is fresh, for nobody asked meanwhile; the next ones come every two seconds. */
async function awaitVisible(projectors: Fleet['projectors']): Promise<number | null> {
  const first = await readLag(projectors);
  const now = performance.now();
  if (first !== null && mostSeconds(first) <= followsSeconds) return now + mostSeconds(first) * 1_000;
  await wait(freshAfterMs);
  const isThere = (lag: Parameters<typeof mostSeconds>[0]): boolean => mostSeconds(lag) <= followsSeconds;
  return awaitLag(projectors, { isThere, deadline: now + visibleWithinMs });
}

function* untilTime(placements: Iterator<Placement, unknown>, deadline: number): Generator<Placement> {
  while (performance.now() < deadline) {
    const next = placements.next();
    if (next.done === true) return;
    yield next.value;
  }
}
