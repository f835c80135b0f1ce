import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import { compare, spreadOf, type Comparison, type Leg } from '../pairs.ts';
import { atLeast, type BenchContext, type BenchRow, type Finding } from '../row.ts';
import { installPeers } from './install.ts';
import type { PeerAnswer, PeerRequest } from './peer.child.ts';
import type { PeerName } from './peers.ts';

const outstanding = 64;
/** A leg of a closed loop with single appends needs longer than one over COPY to settle. */
const legFactor = 2;

const aims: readonly { readonly peer: PeerName; readonly aim: number }[] = [
  { peer: 'emmett', aim: 15 },
  { peer: 'evtstore', aim: 8 },
  { peer: 'message-db', aim: 15 },
];

/** Durable appends of the same event on the same Postgres, each store as its own client calls it. */
export const peersRow: BenchRow = {
  name: 'peers',
  title: `appends with ${outstanding} outstanding against other event stores on the same Postgres`,
  measure: async (context) => {
    installPeers(context.say);
    const findings: Finding[] = [];
    for (const { peer, aim } of aims) findings.push(await measurePeer(context, peer, aim));
    return {
      verdicts: findings.flatMap(({ verdicts }) => verdicts),
      comparisons: findings.flatMap(({ comparisons }) => comparisons),
      facts: Object.assign({}, ...findings.map(({ facts }) => facts)) as Finding['facts'],
    };
  },
};

async function measurePeer(context: BenchContext, peer: PeerName, aim: number): Promise<Finding> {
  return context.postgres.withDatabase((theirUrl) =>
    context.postgres.withDatabase(async (ourUrl) => {
      const theirs = await openPeer(peer, theirUrl, []);
      const ours = await openPeer('order-center', ourUrl, context.execArgv);
      try {
        return await comparePeer({ theirs, ours, peer, aim }, context);
      } finally {
        await Promise.all([theirs.stop(), ours.stop()]);
      }
    }),
  );
}

type PeerChild = Child<PeerRequest, PeerAnswer>;

async function openPeer(peer: PeerName, url: string, execArgv: readonly string[]): Promise<PeerChild> {
  const child: PeerChild = startChild(join(import.meta.dirname, 'peer.child.ts'), execArgv);
  await child.ask({ kind: 'open', peer, url });
  return child;
}

type Rivals = {
  readonly theirs: PeerChild;
  readonly ours: PeerChild;
  readonly peer: PeerName;
  readonly aim: number;
};

async function comparePeer({ theirs, ours, peer, aim }: Rivals, context: BenchContext): Promise<Finding> {
  const seconds = context.seconds * legFactor;
  const p99s: Record<'theirs' | 'ours', number[]> = { theirs: [], ours: [] };
  const leg = (name: string, child: PeerChild, whose: 'theirs' | 'ours'): Leg => ({
    name,
    run: async () => {
      const answer = await child.ask({ kind: 'leg', outstanding, seconds });
      p99s[whose].push(answer.p99Ms);
      return answer.appended / answer.seconds;
    },
  });
  const limit = leg(peer, theirs, 'theirs');
  const candidate = leg('order-center', ours, 'ours');
  for (const warmUp of [limit, candidate]) await warmUp.run();
  p99s.theirs.length = 0;
  p99s.ours.length = 0;
  const comparisons: readonly Comparison[] = await compare({
    ...{ limit, candidates: [candidate], unit: 'events/s', reps: context.reps, say: context.say },
  });
  const p99 = { theirs: spreadOf(p99s.theirs).median, ours: spreadOf(p99s.ours).median };
  return {
    verdicts: [atLeast(`order-center / ${peer}`, comparisons[0]?.ratio?.median ?? null, aim)],
    comparisons,
    facts: { [`p99 beside ${peer}, median of legs, ms`]: `${p99.ours.toFixed(1)} against ${p99.theirs.toFixed(1)}` },
  };
}
