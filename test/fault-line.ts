/** Says what a fault did, in the one line that every fault run prints (loadtest/system/fault-line.ts). */
export function sayFault(id: string, figures: Readonly<Record<string, string | number>>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name}=${value}`);
  process.stdout.write(`${['FAULT', id, ...words].join(' ')}\n`);
}

export function secondsSince(startedAtMs: number): string {
  return `${((performance.now() - startedAtMs) / 1_000).toFixed(1)}s`;
}
