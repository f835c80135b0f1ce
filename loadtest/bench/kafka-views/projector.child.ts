import { openPublishedFeed } from '../../../infra/event-feed/open.ts';
import type { EventFeed } from '../../../infra/event-feed/port.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import { openLog } from '../../../infra/logging/open.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { views } from '../../../projections/all.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import { orderTimeline } from '../../../projections/order-timeline/projection.ts';
import { eventTopics } from '../../../schemas/wire/event-record.ts';
import { runProjector, type ProjectedBatch } from '../../../services/projector/projector.ts';
import { serve } from '../child-process.ts';
import { cpuMicros } from '../child-cpu.ts';
import type { ProjectorAnswer, Visible } from '../feed/projector.child.ts';
import { countSummaries, timedReadStore } from '../feed/timed-read-store.ts';

export type KafkaProjectorRequest =
  | {
      readonly kind: 'start';
      readonly storeUrl: string;
      readonly readUrl: string;
      readonly kafkaUrl: string;
      readonly topicPrefix: string;
      readonly groupPrefix: string;
    }
  /** What this process did until now. */
  | { readonly kind: 'standing' }
  /** The same, and the views in the database, whoever wrote them. */
  | { readonly kind: 'count' }
  /** Answers when this process alone has made so many events visible; the latencies are those since the last answer. */
  | { readonly kind: 'until'; readonly applied: number };

export type KafkaProjectorAnswer = ProjectorAnswer & {
  /** Events that this process put into each view: it may have other partitions of one than of the other. */
  readonly applied: Readonly<Record<string, number>>;
  /** From the first batch in hand to the last commit; in ms since 1970. null: this process had nothing to do. */
  readonly worked: { readonly from: number; readonly to: number; readonly cpuMicros: number } | null;
};

/** The views that projectors share over Kafka: every event is read for each of them. */
const shared = [orderSummary, orderTimeline];
const pollMs = 5;
const waitMaxMs = 100_000;

const stop = new AbortController();
const closing: { close(): Promise<unknown> }[] = [];
const applied = new Map(shared.map(({ view }) => [view.name, 0]));
const history: Visible[] = [];
let latenciesMs: number[] = [];
let began: { readonly at: number; readonly cpuMicros: number } | null = null;
let worked: KafkaProjectorAnswer['worked'] = null;
let countViews: () => Promise<number> = () => Promise.resolve(0);

async function start(request: Extract<KafkaProjectorRequest, { readonly kind: 'start' }>): Promise<void> {
  const { storeUrl, readUrl, kafkaUrl, topicPrefix, groupPrefix } = request;
  const store = await openEventStore(storeUrl);
  const readStore = timedReadStore(openReadStore(readUrl), (latencyMs) => latenciesMs.push(latencyMs));
  await readStore.prepare(views);
  const published = openPublishedFeed({
    url: kafkaUrl,
    store,
    groupPrefix,
    log: openLog({ role: 'bench', level: 'warn' }),
    topics: { order: `${topicPrefix}${eventTopics.order}`, stock: `${topicPrefix}${eventTopics.stock}` },
  });
  const running = shared.map((projection) =>
    runProjector({
      ...{ feed: clocked(published), store, readStore, projection, signal: stop.signal },
      observe: { onBatch: noteBatch, onFailure: ({ failure }) => console.error(failure) },
    }),
  );
  countViews = () => countSummaries(readStore);
  closing.push({ close: () => Promise.all(running) }, published, store, readStore);
}

/** Joining a group takes a while and no work: the clock starts with the first batch. */
function clocked(feed: EventFeed): EventFeed {
  return {
    run: (subscription) =>
      feed.run({
        ...subscription,
        handle: (batch) => {
          began ??= { at: Date.now(), cpuMicros: cpuMicros() };
          return subscription.handle(batch);
        },
      }),
  };
}

function noteBatch(batch: ProjectedBatch): void {
  const now = Date.now();
  applied.set(batch.view, (applied.get(batch.view) ?? 0) + batch.applied);
  history.push({ at: now, applied: standing() });
  if (began !== null) worked = { from: began.at, to: now, cpuMicros: cpuMicros() - began.cpuMicros };
}

/** Events in both views, where this process is the only one. */
function standing(): number {
  return Math.min(...applied.values());
}

function answer(views: number): KafkaProjectorAnswer {
  const answered = { history, views, latenciesMs, worked, applied: Object.fromEntries(applied) };
  latenciesMs = [];
  return answered;
}

async function until(wanted: number): Promise<KafkaProjectorAnswer> {
  const deadline = Date.now() + waitMaxMs;
  while (standing() < wanted) {
    if (Date.now() > deadline) throw new Error(`${standing()} of ${wanted} events became visible in ${waitMaxMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return answer(await countViews());
}

serve(
  async (request: KafkaProjectorRequest): Promise<KafkaProjectorAnswer> => {
    if (request.kind === 'until') return until(request.applied);
    if (request.kind === 'start') await start(request);
    const counted = request.kind === 'count' ? await countViews() : 0;
    return { ...answer(counted), history: [], latenciesMs: [] };
  },
  async () => {
    stop.abort();
    for (const opened of closing) await opened.close();
  },
);
