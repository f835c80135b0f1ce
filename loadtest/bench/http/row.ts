import { join } from 'node:path';

import { startChild, type Child } from '../child-process.ts';
import { compare, spreadOf, type Comparison } from '../pairs.ts';
import { atLeast, type BenchContext, type BenchRow, type Finding } from '../row.ts';
import type { LoadAnswer, LoadRequest, OrderBody } from './load.child.ts';
import type { ServerAnswer, ServerRequest } from './server.child.ts';

const connections = 64;
const aim = 0.8;
/** A leg of a closed loop over HTTP needs longer than one over COPY to settle. */
const legFactor = 3;

/** Durable placements over HTTP against the same door with a store that answers at once. */
export const httpRow: BenchRow = {
  name: 'http',
  title: `durable POST /v1/orders against the same route without a store, ${connections} connections`,
  measure: (context) => context.postgres.withDatabase((url) => measureOn(url, context)),
};

type Server = Child<ServerRequest, ServerAnswer>;
type Load = Child<LoadRequest, LoadAnswer>;

async function measureOn(storeUrl: string, context: BenchContext): Promise<Finding> {
  const serverFile = join(import.meta.dirname, 'server.child.ts');
  const load: Load = startChild(join(import.meta.dirname, 'load.child.ts'));
  const durable: Server = startChild(serverFile, context.execArgv);
  const inert: Server = startChild(serverFile, context.execArgv);
  try {
    const durableUrl = (await durable.ask({ kind: 'listen', storeUrl })).url;
    const inertUrl = (await inert.ask({ kind: 'listen', storeUrl: null })).url;
    const found = await pushBoth(load, { durableUrl, inertUrl, context });
    const { stored } = await durable.ask({ kind: 'count' });
    if (stored < found.answered) throw new Error(`${found.answered} placements were answered, ${stored} are stored`);
    return findingOf(found.comparisons, { ...found.facts, 'orders answered and stored': found.answered });
  } finally {
    await Promise.all([load.stop(), durable.stop(), inert.stop()]);
  }
}

type Pushed = {
  readonly comparisons: readonly Comparison[];
  readonly facts: Finding['facts'];
  /** By the durable door, in all legs. */
  readonly answered: number;
};

async function pushBoth(
  load: Load,
  {
    durableUrl,
    inertUrl,
    context,
  }: { readonly durableUrl: string; readonly inertUrl: string; readonly context: BenchContext },
): Promise<Pushed> {
  const seconds = context.seconds * legFactor;
  const p99s: Record<OrderBody, number[]> = { plain: [], whole: [] };
  let answered = 0;
  const push = async (url: string, body: OrderBody): Promise<number> => {
    const answer = await load.ask({ url, connections, seconds, body });
    if (url === durableUrl) {
      answered += answer.answered;
      p99s[body].push(answer.p99Ms);
    }
    return answer.answered / answer.seconds;
  };
  const comparisons: Comparison[] = [];
  for (const { body, name } of bodies) {
    for (const url of [inertUrl, durableUrl]) await push(url, body);
    p99s[body].length = 0;
    comparisons.push(
      ...(await compare({
        limit: { name: `${name}, no store`, run: () => push(inertUrl, body) },
        candidates: [{ name: `${name}, durable`, run: () => push(durableUrl, body) }],
        unit: 'requests/s',
        reps: context.reps,
        say: context.say,
      })),
    );
  }
  const facts = bodies.map(({ body, name }) => [
    `p99 of ${name}, durable, median of legs, ms`,
    spreadOf(p99s[body]).median,
  ]);
  return { comparisons, facts: Object.fromEntries(facts) as Finding['facts'], answered };
}

/** The whole order makes two more things durable before its append: the token, and the key that seals the address. */
const bodies: readonly { readonly body: OrderBody; readonly name: string }[] = [
  { body: 'plain', name: 'an order with two lines' },
  { body: 'whole', name: 'an order with a token, an address and an email' },
];

function findingOf(comparisons: readonly Comparison[], facts: Finding['facts']): Finding {
  const verdicts = comparisons.map(({ candidate, ratio }) =>
    atLeast(`${candidate} / no store`, ratio?.median ?? null, aim),
  );
  return { verdicts, comparisons, facts };
}
