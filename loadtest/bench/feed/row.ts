import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import { compare, spreadOf, type Comparison } from '../pairs.ts';
import type { BenchContext, BenchRow, Finding, Verdict } from '../row.ts';
import { spreadText } from '../report.ts';
import type { PlacerAnswer, PlacerRequest } from './placer.child.ts';
import type { ProjectorAnswer, ProjectorRequest } from './projector.child.ts';

/** Views may end so much after the placements, as a share of the placing time. */
const catchUpMax = 0.1;
/** Placements of the first legs, which warm up and calibrate. */
const firstOrders = 2_000;
const ordersMax = 50_000;
/** A leg much longer than the feed's poll between processes (250 ms), which else is what is measured. */
const legFactor = 4;

/** Placements as fast as they go, while the projectors follow the feed from a process of their own. */
export const feedRow: BenchRow = {
  name: 'feed',
  title: 'from the feed to visible views, fulfillment off, while orders are placed as fast as they go',
  measure: (context) =>
    context.postgres.withDatabase((aloneUrl) =>
      context.postgres.withDatabase((followedUrl) => measureOn({ aloneUrl, followedUrl }, context)),
    ),
};

type Urls = { readonly aloneUrl: string; readonly followedUrl: string };
type Placer = Child<PlacerRequest, PlacerAnswer>;
type Projector = Child<ProjectorRequest, ProjectorAnswer>;

/** One followed leg: rates a second, lag in events, times in ms. */
type Followed = {
  readonly placed: number;
  readonly visible: number;
  readonly lagEvents: number;
  readonly placingMs: number;
  readonly catchUpMs: number;
};

async function measureOn({ aloneUrl, followedUrl }: Urls, context: BenchContext): Promise<Finding> {
  const placerFile = join(import.meta.dirname, 'placer.child.ts');
  const alone: Placer = startChild(placerFile);
  const placer: Placer = startChild(placerFile, context.execArgv);
  const projector: Projector = startChild(join(import.meta.dirname, 'projector.child.ts'), context.execArgv);
  try {
    await alone.ask({ kind: 'open', url: aloneUrl });
    await placer.ask({ kind: 'open', url: followedUrl });
    await projector.ask({ kind: 'start', url: followedUrl });
    return await follow({ alone, placer, projector }, context);
  } finally {
    await Promise.all([alone.stop(), placer.stop(), projector.stop()]);
  }
}

type Children = { readonly alone: Placer; readonly placer: Placer; readonly projector: Projector };

async function follow({ alone, placer, projector }: Children, context: BenchContext): Promise<Finding> {
  let orders = firstOrders;
  const followed: Followed[] = [];
  let expected = 0;
  const placeAlone = async (): Promise<number> => {
    const { startedAt, endedAt } = await alone.ask({ kind: 'place', orders });
    return rate(orders, endedAt - startedAt);
  };
  const placeFollowed = async (): Promise<number> => {
    const before = expected;
    expected += orders;
    const placing = await placer.ask({ kind: 'place', orders });
    const seen = await projector.ask({ kind: 'until', applied: expected });
    if (seen.views !== expected) throw new Error(`${expected} orders were placed, ${seen.views} are visible`);
    const leg = legOf(placing, seen, { before, orders });
    followed.push(leg);
    context.say(`  ${describe(leg)}`);
    return leg.placed;
  };
  const first = [await placeAlone(), await placeFollowed()];
  orders = Math.min(ordersMax, Math.round(Math.max(...first) * context.seconds * legFactor));
  followed.length = 0;
  const comparisons = await compare({
    limit: { name: 'placements without a projector', run: placeAlone },
    candidates: [{ name: 'placements with the projectors beside', run: placeFollowed }],
    unit: 'placements/s',
    reps: context.reps,
    say: context.say,
  });
  return findingOf(comparisons, followed, orders);
}

function legOf(
  { startedAt, endedAt }: PlacerAnswer,
  { history }: ProjectorAnswer,
  { before, orders }: { readonly before: number; readonly orders: number },
): Followed {
  const visibleAt = history.find(({ applied }) => applied >= before + orders)?.at ?? Number.NaN;
  const atEnd = history.findLast(({ at }) => at <= endedAt)?.applied ?? before;
  return {
    placed: rate(orders, endedAt - startedAt),
    visible: rate(orders, visibleAt - startedAt),
    lagEvents: Math.max(0, before + orders - atEnd),
    placingMs: endedAt - startedAt,
    catchUpMs: Math.max(0, visibleAt - endedAt),
  };
}

function rate(count: number, ms: number): number {
  return (count / Math.max(ms, 1)) * 1_000;
}

function describe({ placed, visible, lagEvents, placingMs, catchUpMs }: Followed): string {
  const rates = `placed ${Math.round(placed)}/s, visible ${Math.round(visible)}/s`;
  return `${rates}, ${lagEvents} events behind when placing ended after ${placingMs} ms, caught up in ${catchUpMs} ms`;
}

function findingOf(comparisons: readonly Comparison[], followed: readonly Followed[], orders: number): Finding {
  const of = (value: (leg: Followed) => number) => spreadOf(followed.map(value));
  const catchUp = of(({ catchUpMs, placingMs }) => catchUpMs / placingMs);
  const verdict: Verdict = {
    what: 'time to catch up / time of placing',
    aim: `≤ ${catchUpMax}`,
    value: catchUp.median,
    verdict: catchUp.median <= catchUpMax ? 'held' : 'missed',
  };
  return {
    verdicts: [verdict],
    comparisons,
    facts: {
      'orders a leg': orders,
      'placements/s, followed': spreadText(
        of(({ placed }) => placed),
        0,
      ),
      'views/s, from the first placement to the last view': spreadText(
        of(({ visible }) => visible),
        0,
      ),
      'events behind when placing ended': spreadText(
        of(({ lagEvents }) => lagEvents),
        0,
      ),
      'ms to catch up': spreadText(
        of(({ catchUpMs }) => catchUpMs),
        0,
      ),
      'time to catch up / time of placing': spreadText(catchUp, 2),
    },
  };
}
