import type { SnapshotTier } from './port.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** How long a snapshot lives at most, by its tier (invariant I21). */
export const snapshotLifeMs: Readonly<Record<SnapshotTier, number>> = {
  unpaid: 15 * minuteMs,
  'in-progress': 24 * hourMs,
  fulfilled: 72 * hourMs,
  // So short that no late reader leaves an old answer for long.
  fill: 30_000,
};

/** As long as the longest snapshot: while one lives that was written before the mark, the mark lives too. */
export const markLifeMs = snapshotLifeMs.fulfilled;

/** Older than what is there; or a fill of what is there already. */
export function isStale(
  known: { readonly version: number },
  next: { readonly version: number; readonly tier: SnapshotTier },
): boolean {
  return next.version < known.version || (next.version === known.version && next.tier === 'fill');
}
