/** Nearest rank; NaN of nothing. @param share as 0.99 */
export function percentile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** `12ms/180ms` for the 50th and the 99th. */
export function halfAndMost(values: readonly number[]): string {
  return [0.5, 0.99].map((share) => `${Math.round(percentile(values, share))}ms`).join('/');
}
