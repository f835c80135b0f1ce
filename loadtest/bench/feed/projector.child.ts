import { openEventFeed } from '../../../infra/event-feed/open.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { projections } from '../../../projections/all.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import { runProjector, type ProjectedBatch } from '../../../services/projector/projector.ts';
import { serve } from '../child-process.ts';
import { countSummaries, timedReadStore } from './timed-read-store.ts';

export type ProjectorRequest =
  | { readonly kind: 'start'; readonly url: string }
  /** Answers when so many events are visible in all; the latencies are those since the last answer. */
  | { readonly kind: 'until'; readonly applied: number };

/** Events visible in the order summaries by then; `at` in ms since 1970. */
export type Visible = { readonly at: number; readonly applied: number };
export type ProjectorAnswer = {
  readonly history: readonly Visible[];
  readonly views: number;
  /** Of each order's last event in a batch: from its recorded time to its commit in the view, in ms. */
  readonly latenciesMs: readonly number[];
};

const pollMs = 5;
const waitMaxMs = 100_000;

const stop = new AbortController();
const closing: { close(): Promise<unknown> }[] = [];
const history: Visible[] = [];
let applied = 0;
let latenciesMs: number[] = [];
let countViews: () => Promise<number> = () => Promise.resolve(0);

/** All projectors of the product, as `npm start` runs them, but in a process of their own. */
async function start(url: string): Promise<void> {
  const store = await openEventStore(url);
  const readStore = timedReadStore(openReadStore(url), (latencyMs) => latenciesMs.push(latencyMs));
  await readStore.prepare(projections.map(({ view }) => view));
  const feed = openEventFeed(store);
  const onBatch = (batch: ProjectedBatch): void => {
    if (batch.view !== orderSummary.view.name) return;
    applied += batch.applied;
    history.push({ at: Date.now(), applied });
  };
  const running = projections.map((projection) =>
    runProjector({ feed, store, readStore, projection, signal: stop.signal, observe: { onBatch } }),
  );
  countViews = () => countSummaries(readStore);
  closing.push({ close: () => Promise.all(running) }, store, readStore);
}

async function until(wanted: number): Promise<ProjectorAnswer> {
  const deadline = Date.now() + waitMaxMs;
  while (applied < wanted) {
    if (Date.now() > deadline) throw new Error(`${applied} of ${wanted} events became visible in ${waitMaxMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  const answer = { history, views: await countViews(), latenciesMs };
  latenciesMs = [];
  return answer;
}

serve(
  async (request: ProjectorRequest): Promise<ProjectorAnswer> => {
    if (request.kind === 'until') return until(request.applied);
    await start(request.url);
    return { history, views: 0, latenciesMs: [] };
  },
  async () => {
    stop.abort();
    for (const opened of closing) await opened.close();
  },
);
