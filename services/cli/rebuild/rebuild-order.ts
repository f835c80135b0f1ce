import type { EventStore, RecordedEvent } from '../../../infra/event-store/port.ts';
import { isOperationalFailure } from '../../../infra/failures.ts';
import type { Held, Mended } from '../../../infra/read-store/parking.ts';
import type { Document, DocumentKey, ReadStore } from '../../../infra/read-store/port.ts';
import type { Projection } from '../../../projections/projection.ts';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { fulfillmentStream, orderStream, type OrderId, type StreamName, type TenantId } from '../../../schemas/ids.ts';
import { CommandFailure } from '../failure.ts';

export type RebuildOrderOptions = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly readStore: Pick<ReadStore, 'parking'>;
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

/** Only a projector that is quicker than a read and a lock asks for another round. */
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
  const { projection } = options;
  const { view } = projection;
  if (projection.sharedDocuments === true) {
    throw new CommandFailure(`a document of ${view.name} is of many orders: rebuild it whole, without --order`);
  }
  const stream = streamOf(options);
  for (let round = 0; round < roundsMax; round += 1) {
    const rebuilt = await mendOnce(options, stream);
    if (rebuilt === 'unseen') throw new CommandFailure(`${view.name} has seen nothing of ${stream}`);
    if (rebuilt === 'other')
      throw new CommandFailure(`the event store has another ${stream} than ${view.name} has seen`);
    if (rebuilt !== 'again') return rebuilt;
  }
  throw new CommandFailure(`${stream} changed ${roundsMax} times meanwhile: try again`);
}

function streamOf({ projection, orderId }: RebuildOrderOptions): StreamName {
  return projection.categories.includes('order') ? orderStream(orderId) : fulfillmentStream(orderId);
}

type Answer = RebuiltOrder | 'again' | 'unseen' | 'other';

/** The stream is read whole, beyond what the view has seen: under the lock the view says how far it is. */
async function mendOnce({ store, readStore, projection }: RebuildOrderOptions, stream: StreamName): Promise<Answer> {
  const { view } = projection;
  const events = await readWhole(store, stream);
  const keys = fold(projection, events).map(({ key }) => key);
  try {
    return await readStore.parking.mend<Answer>({
      ...{ view, stream, keys },
      fold: (held) => foldHeld({ projection, events, keys }, held),
    });
  } catch (error) {
    if (!isOperationalFailure(error, 'POISON_VALUE')) throw error;
    throw new CommandFailure(`${view.name} cannot hold the document of ${stream}: ${error.message}`);
  }
}

type Read = {
  readonly projection: Projection;
  readonly events: readonly RecordedEvent[];
  readonly keys: readonly DocumentKey[];
};
type Round = { readonly answer: Answer; readonly mended: Mended | null };

function foldHeld({ projection, events, keys }: Read, { progress, parked, documents }: Held): Round {
  if (progress === null) return { answer: 'unseen', mended: null };
  const seen = events.slice(0, progress.revision + 1);
  const first = seen[0];
  if (first === undefined || seen.length <= progress.revision) return { answer: 'again', mended: null };
  if (seen.at(-1)?.eventId !== progress.eventId) return { answer: 'other', mended: null };
  const folded = new Map(fold(projection, seen).map(({ key, document }) => [key.key, document]));
  const wanted = keys.map((key) => ({ ...key, document: folded.get(key.key) ?? null }));
  const differing = wanted.filter(({ document }, index) => !isSame(document, documents[index] ?? null));
  const answer = { tenantId: first.tenantId, documents: keys.length, parked: parked !== null };
  if (differing.length === 0) return { answer: { ...answer, outcome: 'unchanged' }, mended: null };
  return { answer: { ...answer, outcome: 'rebuilt' }, mended: { documents: differing, progress: null, parked } };
}

async function readWhole(store: RebuildOrderOptions['store'], stream: StreamName): Promise<readonly RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for (;;) {
    const page = await store.readStream({ stream, fromRevision: events.length, limit: pageMax });
    events.push(...page);
    if (page.length < pageMax) return events;
  }
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
