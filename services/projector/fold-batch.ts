import type { Document, DocumentKey, ReadStore, View } from '../../infra/read-store/port.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import { foldEvents, keysOf, stepsOf, type FoldedEvents, type Step } from './fold-events.ts';
import type { NewEvents } from './new-events.ts';
import { placeOf, type Folded, type Owned } from './owned.ts';
import { faultOf, isPoison, type Fault } from '../../infra/poison.ts';
import type { RunProjectorOptions } from './projector.ts';

/** The documents that the events change, as they are after them: read once, folded in memory, written once. */
export async function foldBatch<D extends Document>(
  options: RunProjectorOptions<D>,
  owned: Owned<D>,
  fresh: Pick<NewEvents, 'events' | 'begun'>,
): Promise<FoldedEvents<D>> {
  const steps = stepsOf(options.projection, fresh.events);
  return foldEvents(await documentsOf(options, owned, { steps, begun: fresh.begun }), steps);
}

/**
 * The same for a batch that makes a document which no view can hold: each event's documents are tried on the read
 * store, so that the one stream is found. Slow, and only met behind such an event.
 */
export async function foldCarefully<D extends Document>(
  options: RunProjectorOptions<D>,
  owned: Owned<D>,
  fresh: Pick<NewEvents, 'events' | 'begun'>,
): Promise<FoldedEvents<D>> {
  const steps = stepsOf(options.projection, fresh.events);
  const before = await documentsOf(options, owned, { steps, begun: fresh.begun });
  const refused = await findRefused({ readStore: options.readStore, view: options.projection.view, before, steps });
  return foldEvents(before, steps, refused);
}

export type Trial<D extends Document> = {
  readonly readStore: Pick<ReadStore, 'probe'>;
  readonly view: View;
  readonly before: ReadonlyMap<string, Folded<D>>;
  readonly steps: readonly Step<D>[];
};

/** Events whose documents the read store refuses, each with why. */
export async function findRefused<D extends Document>({
  readStore,
  view,
  before,
  steps,
}: Trial<D>): Promise<ReadonlyMap<RecordedEvent, Fault>> {
  const refused = new Map<RecordedEvent, Fault>();
  const current = new Map(before);
  for (const step of steps) {
    const { documents } = foldEvents(current, [step]);
    try {
      await readStore.probe(view, documents);
      for (const row of documents) current.set(placeOf(row), row);
    } catch (error) {
      if (!isPoison(error)) throw error;
      refused.set(step.event, faultOf(error, 'services/projector/'));
    }
  }
  return refused;
}

type Wanted<D extends Document> = { readonly steps: readonly Step<D>[]; readonly begun: ReadonlySet<StreamName> };

/** A stream that begins has no document yet, unless the view's documents are shared by many streams. */
async function documentsOf<D extends Document>(
  { readStore, projection }: RunProjectorOptions<D>,
  owned: Owned<D>,
  { steps, begun }: Wanted<D>,
): Promise<ReadonlyMap<string, Folded<D>>> {
  const documents = new Map<string, Folded<D>>();
  const unknown: DocumentKey[] = [];
  const isNew = ({ event }: Step<D>): boolean => projection.sharedDocuments !== true && begun.has(event.stream);
  for (const key of keysOf(steps.filter(isNew))) documents.set(placeOf(key), { ...key, document: null });
  for (const key of keysOf(steps.filter((step) => !isNew(step)))) {
    const remembered = owned.document(key);
    if (remembered === undefined) unknown.push(key);
    else documents.set(placeOf(key), { ...key, ...remembered });
  }
  if (unknown.length === 0) return documents;
  const found = await readStore.find(projection.view, unknown);
  for (const [index, key] of unknown.entries()) {
    documents.set(placeOf(key), { ...key, document: found[index] ?? null });
  }
  return documents;
}
