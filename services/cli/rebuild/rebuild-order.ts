import type { EventStore, RecordedEvent } from '../../../infra/event-store/port.ts';
import { isOperationalFailure } from '../../../infra/failures.ts';
import type { Held, Mended } from '../../../infra/read-store/parking.ts';
import type { Document, DocumentKey, Progress, ReadStore } from '../../../infra/read-store/port.ts';
import type { Projection } from '../../../projections/projection.ts';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { fulfillmentStream, orderStream, type OrderId, type StreamName, type TenantId } from '../../../schemas/ids.ts';
import { CommandFailure } from '../failure.ts';

export type RebuildOrderOptions = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: Pick<ReadStore, 'loadProgress' | 'parking'>;
  readonly projection: Projection;
  readonly orderId: OrderId;
};

export type RebuiltOrder = {
  readonly outcome: 'rebuilt' | 'unchanged';
  readonly tenantId: TenantId;
  readonly documents: number;
  /** Later events of the order wait for a repair; they wait on. */
  readonly parked: boolean;
};

/** Between the read of the progress and the lock a projector may move the order on. */
const roundsMax = 20;
const pageMax = 1_000;

/**
 * Folds one order's stream again, up to where the view has seen it, and writes what differs. It is done under the lock
 * that every commit of the view takes, and gives the view's place a new turn: a projector that runs meanwhile, and
 * remembers the documents as they were, must load its place again before it may commit. So nothing has to be stopped.
 * @throws CommandFailure where the view cannot be mended order by order, or has not seen the order;
 *   OperationalFailure STORE_UNAVAILABLE, VIEWS_UNAVAILABLE
 */
export async function rebuildOrder(options: RebuildOrderOptions): Promise<RebuiltOrder> {
  const { readStore, projection } = options;
  const { view } = projection;
  if (projection.sharedDocuments === true) {
    throw new CommandFailure(`a document of ${view.name} is of many orders: rebuild it whole, without --order`);
  }
  const stream = streamOf(options);
  for (let round = 0; round < roundsMax; round += 1) {
    const progress = (await readStore.loadProgress(view.name, [stream])).get(stream);
    if (progress === undefined) throw new CommandFailure(`${view.name} has seen nothing of ${stream}`);
    const rebuilt = await mendOnce(options, progress);
    if (rebuilt !== 'again') return rebuilt;
  }
  throw new CommandFailure(`${stream} changed ${roundsMax} times meanwhile: try again`);
}

function streamOf({ projection, orderId }: RebuildOrderOptions): StreamName {
  return projection.categories.includes('order') ? orderStream(orderId) : fulfillmentStream(orderId);
}

async function mendOnce(
  { store, readStore, projection }: RebuildOrderOptions,
  progress: Progress,
): Promise<RebuiltOrder | 'again'> {
  const { view } = projection;
  const { stream } = progress;
  const events = await readTo(store, progress);
  const tenantId = events[0]?.tenantId;
  if (tenantId === undefined || events.at(-1)?.eventId !== progress.eventId) {
    throw new CommandFailure(`the event store has another ${stream} than ${view.name} has seen`);
  }
  const folded = fold(projection, events);
  const keys = folded.map(({ key }) => key);
  const answer = { tenantId, documents: folded.length };
  const mending = {
    ...{ view, stream, keys },
    fold: (held: Held): { readonly answer: RebuiltOrder | 'again'; readonly mended: Mended | null } => {
      if (held.progress?.eventId !== progress.eventId) return { answer: 'again', mended: null };
      const differing = folded.filter(({ document }, index) => !isSame(document, held.documents[index] ?? null));
      const parked = held.parked !== null;
      if (differing.length === 0) return { answer: { ...answer, parked, outcome: 'unchanged' }, mended: null };
      const documents = differing.map(({ key, document }) => ({ ...key, document }));
      return {
        answer: { ...answer, parked, outcome: 'rebuilt' },
        mended: { documents, progress: null, parked: held.parked },
      };
    },
  };
  return readStore.parking.mend(mending).catch((error: unknown) => {
    if (!isOperationalFailure(error, 'POISON_VALUE')) throw error;
    throw new CommandFailure(`${view.name} cannot hold the document of ${stream}: ${error.message}`);
  });
}

async function readTo(
  store: RebuildOrderOptions['store'],
  { stream, revision }: Progress,
): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  while (events.length <= revision) {
    const limit = Math.min(revision + 1 - events.length, pageMax);
    const page = await store.readStream({ stream, fromRevision: events.length, limit });
    if (page.length === 0) break;
    events.push(...page);
  }
  return events;
}

type Folded = { readonly key: DocumentKey; readonly document: Document | null };

/** Every document that the stream ever changed, as it is after the last event. */
function fold(projection: Projection, events: readonly RecordedEvent[]): readonly Folded[] {
  const documents = new Map<string, Folded>();
  for (const event of events) {
    for (const change of projection.changes(event)) {
      const { tenantId, key } = change;
      const document = change.update(documents.get(key)?.document ?? null);
      documents.set(key, { key: { tenantId, key }, document });
    }
  }
  return [...documents.values()];
}

function isSame(a: Document | null, b: Document | null): boolean {
  return canonicalJson(a) === canonicalJson(b);
}
