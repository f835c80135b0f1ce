/** Each bucket of a series takes one exemplar in so many ms: whoever scrapes more rarely sees one anyway. */
const everyMs = 1_000;

/** Whether an observation becomes the exemplar of its bucket. Time is monotonic, in ms. */
export type ExemplarGate = (value: number, nowMs: number) => boolean;

/**
 * Lets the first observation of a second through, for each bucket apart: a slow request seldom comes and is nearly
 * always kept, while thousands of fast ones cost a comparison each (measured: docs/metrics.md).
 * @param upperBounds of the histogram, ascending
 */
export function openExemplarGate(upperBounds: readonly number[]): ExemplarGate {
  const closedUntilMs = new Float64Array(upperBounds.length + 1);
  return (value, nowMs) => {
    let bucket = 0;
    while (bucket < upperBounds.length && value > (upperBounds[bucket] ?? Infinity)) bucket += 1;
    if (nowMs < (closedUntilMs[bucket] ?? 0)) return false;
    closedUntilMs[bucket] = nowMs + everyMs;
    return true;
  };
}
