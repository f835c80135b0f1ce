import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import { compare, type Comparison, type Leg } from '../pairs.ts';
import { atLeast, type BenchContext, type BenchRow, type Finding } from '../row.ts';
import type { AppendAnswer, AppendLeg, AppendRequest } from './legs.child.ts';

type AppendRowOptions = { readonly name: string; readonly outstanding: number; readonly aim: number };

/** Durable appends through the event store's port against COPY of the same rows. */
export function appendRow({ name, outstanding, aim }: AppendRowOptions): BenchRow {
  return {
    name,
    title: `appends with ${outstanding.toLocaleString('en')} outstanding against COPY of the same rows`,
    measure: async (context) => {
      const comparisons = await context.postgres.withDatabase((url) => measureOn(url, context, outstanding));
      return findingOf(comparisons, aim);
    },
  };
}

/** What each increment adds; the first is the one with an aim. */
const candidates: readonly { readonly leg: AppendLeg; readonly name: string }[] = [
  { leg: 'store', name: 'event store' },
  { leg: 'store-claims', name: 'event store, each order with a reference to claim' },
  { leg: 'guarded', name: "the store's statement alone" },
  { leg: 'plain-all-keys', name: 'plain unnest, all unique keys' },
  { leg: 'plain', name: 'plain unnest, two unique keys' },
  { leg: 'copy-all-keys', name: 'COPY, all unique keys' },
  { leg: 'server-insert', name: 'INSERT .. SELECT on the server, two unique keys' },
];

const limitName = 'COPY, two unique keys';
/** Rows of the first legs, which warm up and calibrate. */
const firstRows = 10_000;
/** No COPY of ours was faster: rows that a leg of one second may take. */
const rateMax = 100_000;

async function measureOn(url: string, context: BenchContext, outstanding: number): Promise<readonly Comparison[]> {
  const file = join(import.meta.dirname, 'legs.child.ts');
  const child = startChild<AppendRequest, AppendAnswer>(file, context.execArgv);
  try {
    const rowsMax = Math.ceil(Math.max(rateMax * context.seconds, firstRows));
    await child.ask({ kind: 'open', url, rows: rowsMax });
    const warmUp = ['copy', 'store', 'copy'] as const;
    for (const leg of warmUp) await rateOf(child, { leg, outstanding, rows: firstRows });
    const copyRate = await rateOf(child, { leg: 'copy', outstanding, rows: firstRows });
    const rows = Math.min(rowsMax, Math.ceil(copyRate * context.seconds));
    const leg = (wanted: AppendLeg, name: string): Leg => ({
      name,
      run: () => rateOf(child, { leg: wanted, outstanding, rows }),
    });
    return await compare({
      limit: leg('copy', limitName),
      candidates: candidates.map((candidate) => leg(candidate.leg, candidate.name)),
      unit: 'events/s',
      reps: context.reps,
      say: context.say,
    });
  } finally {
    await child.stop();
  }
}

async function rateOf(
  child: Child<AppendRequest, AppendAnswer>,
  wanted: { readonly leg: AppendLeg; readonly outstanding: number; readonly rows: number },
): Promise<number> {
  const { rows, seconds } = await child.ask({ kind: 'leg', ...wanted });
  return rows / seconds;
}

function findingOf(comparisons: readonly Comparison[], aim: number): Finding {
  const ratio = comparisons[0]?.ratio?.median ?? null;
  return { verdicts: [atLeast('event store / COPY', ratio, aim)], comparisons, facts: {} };
}
