import type { Logger } from 'pino';
import type { Metrics } from '../metrics/open.ts';
import type { LeaseChange } from './run-leased.ts';

const told: { readonly [What in LeaseChange['what']]: readonly ['debug' | 'warn', string] } = {
  held: ['debug', 'a lease is held: this process works'],
  released: ['debug', 'a lease is given up'],
  lost: ['warn', 'a lease is lost: another process may work now'],
  unreachable: ['warn', 'leases cannot be asked for: waiting'],
  failed: ['warn', 'leased work failed and starts again'],
};

/** Shows operators who works: a gauge of each lease that this process works under or waits for, a line for each change. */
export function logLeases(
  { log, metrics }: { readonly log: Logger; readonly metrics: Pick<Metrics, 'watch'> },
  leases: readonly string[],
): (change: LeaseChange) => void {
  const held = new Map(leases.map((lease) => [lease, 0]));
  metrics.watch('lease_held', () => [...held].map(([of, value]) => ({ of, value })));
  return (change) => {
    const { lease, what } = change;
    if (what === 'held') held.set(lease, 1);
    if (what === 'lost' || what === 'released') held.set(lease, 0);
    const [level, message] = told[what];
    log[level]('failure' in change ? { lease, code: change.failure.code } : { lease }, message);
  };
}
