import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import type { LoadAnswer, LoadRequest } from '../http/load.child.ts';
import type { ServerAnswer, ServerRequest } from '../http/server.child.ts';
import type { ProjectorAnswer, ProjectorRequest } from '../feed/projector.child.ts';
import type { BenchContext, BenchRow, Finding } from '../row.ts';

/** Of what the machine sustains with its views keeping up. */
const loadShare = 0.7;
const p99MaxMs = 250;
const connections = 64;
/** Long enough that a view which cannot keep up is seen to fall behind. */
const maximumFactor = 5;
const openLoopFactor = 10;

/** How soon an acknowledged order is in its view, at 70 % of what the machine sustains. */
export const visibleRow: BenchRow = {
  name: 'visible',
  title: `from the append to the view at ${loadShare * 100} % of the rate that door and views sustain together`,
  measure: (context) => context.postgres.withDatabase((url) => measureOn(url, context)),
};

/** Whoever keeps the views, from whatever feed. */
export type Parts = {
  readonly load: Child<LoadRequest, LoadAnswer>;
  readonly door: Child<ServerRequest, ServerAnswer>;
  readonly projector: Child<Extract<ProjectorRequest, { readonly kind: 'until' }>, ProjectorAnswer>;
};

async function measureOn(storeUrl: string, context: BenchContext): Promise<Finding> {
  const bench = join(import.meta.dirname, '..');
  const load: Parts['load'] = startChild(join(bench, 'http', 'load.child.ts'));
  const door: Parts['door'] = startChild(join(bench, 'http', 'server.child.ts'), context.execArgv);
  const projector: Child<ProjectorRequest, ProjectorAnswer> = startChild(
    join(bench, 'feed', 'projector.child.ts'),
    context.execArgv,
  );
  try {
    const { url } = await door.ask({ kind: 'listen', storeUrl });
    await projector.ask({ kind: 'start', url: storeUrl });
    return await appendToVisible({ load, door, projector }, { url, p99MaxMs }, context);
  } finally {
    await Promise.all([load.stop(), door.stop(), projector.stop()]);
  }
}

/** Finds what the parts sustain together, then places orders at 70 % of it. The views must follow already. */
export async function appendToVisible(
  parts: Parts,
  { url, p99MaxMs: aimMs }: { readonly url: string; readonly p99MaxMs: number },
  { seconds, say }: BenchContext,
): Promise<Finding> {
  const push = async (legSeconds: number, rate?: number): Promise<Pushed> => {
    const startedAt = Date.now();
    const request = { url, connections, seconds: legSeconds, body: 'plain' } as const;
    const { answered } = await parts.load.ask(rate === undefined ? request : { ...request, rate });
    const { stored } = await parts.door.ask({ kind: 'count' });
    const { latenciesMs, history } = await parts.projector.ask({ kind: 'until', applied: stored });
    const visibleAt = history.at(-1)?.at ?? startedAt;
    return { answered, latenciesMs, sustained: (answered / Math.max(1, visibleAt - startedAt)) * 1_000 };
  };
  await push(seconds);
  const { sustained } = await push(seconds * maximumFactor);
  say(`  the door and its views sustain ${Math.round(sustained)} placements/s`);
  const rate = Math.max(1, Math.round(sustained * loadShare));
  const { latenciesMs, answered } = await push(seconds * openLoopFactor, rate);
  return findingOf(latenciesMs, { sustained, rate, answered, p99MaxMs: aimMs });
}

type Pushed = { readonly answered: number; readonly latenciesMs: readonly number[]; readonly sustained: number };

function findingOf(
  latenciesMs: readonly number[],
  load: { readonly sustained: number; readonly rate: number; readonly answered: number; readonly p99MaxMs: number },
): Finding {
  const { p99MaxMs: aimMs } = load;
  const sorted = latenciesMs.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
  const p99 = at(0.99);
  const verdict = p99 <= aimMs ? 'held' : 'missed';
  return {
    verdicts: [{ what: 'append to visible, p99, ms', aim: `≤ ${aimMs}`, value: p99, verdict }],
    comparisons: [],
    facts: {
      'placements/s that door and views sustain': Math.round(load.sustained),
      'placements/s of the open loop': load.rate,
      'orders of the open loop': load.answered,
      'append to visible, p50, ms': at(0.5),
      'append to visible, p99, ms': p99,
      'append to visible, greatest, ms': at(1),
    },
  };
}
