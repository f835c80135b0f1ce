import type { Document, DocumentKey, Progress } from '../../infra/read-store/port.ts';
import type { Change, Projection } from '../../projections/projection.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { StreamName } from '../../schemas/ids.ts';
import type { Waiting } from '../../infra/read-store/left-behind.ts';
import { placeOf, type Folded } from './owned.ts';
import { faultOf, isPoison, type Fault } from '../../infra/poison.ts';

/** An event with its changes, or with why it has none. */
export type Step<D extends Document> = {
  readonly event: RecordedEvent;
  readonly changes: readonly Change<D>[] | Fault;
};

export type FoldedEvents<D extends Document> = {
  /** As they are after the events: those that changed. */
  readonly documents: readonly Folded<D>[];
  /** The last one folded of each stream. */
  readonly progress: readonly Progress[];
  readonly applied: number;
  /** Streams that stop before an event: it and the later ones. */
  readonly waiting: ReadonlyMap<StreamName, Waiting>;
};

export function stepsOf<D extends Document>(
  projection: Projection<D>,
  events: readonly RecordedEvent[],
): readonly Step<D>[] {
  return events.map((event) => ({ event, changes: attempt(() => projection.changes(event)) }));
}

export function keysOf<D extends Document>(steps: readonly Step<D>[]): readonly DocumentKey[] {
  const keys = steps.flatMap(({ changes }) => ('error' in changes ? [] : changes));
  return [...new Map(keys.map(({ tenantId, key }) => [placeOf({ tenantId, key }), { tenantId, key }])).values()];
}

/**
 * Folds events into the documents that are there. An event counts whole or not at all; a stream stops before the first
 * one that cannot be folded, and the others go on.
 * @param refused events that are known to make what no view can hold
 */
export function foldEvents<D extends Document>(
  before: ReadonlyMap<string, Folded<D>>,
  steps: readonly Step<D>[],
  refused: ReadonlyMap<RecordedEvent, Fault> = new Map(),
): FoldedEvents<D> {
  const after = new Map(before);
  const last = new Map<StreamName, Progress>();
  const waiting = new Map<StreamName, { readonly fault: Fault; readonly events: RecordedEvent[] }>();
  let applied = 0;
  for (const { event, changes } of steps) {
    const { stream, revision, eventId } = event;
    const stopped = waiting.get(stream);
    const outcome = stopped?.fault ?? refused.get(event) ?? apply(after, changes);
    if (outcome === 'applied') {
      last.set(stream, { stream, revision, eventId });
      applied += 1;
    } else if (stopped === undefined) waiting.set(stream, { fault: outcome, events: [event] });
    else stopped.events.push(event);
  }
  const documents = [...after].filter(([place, { document }]) => before.get(place)?.document !== document);
  return { documents: documents.map(([, row]) => row), progress: [...last.values()], applied, waiting };
}

function apply<D extends Document>(after: Map<string, Folded<D>>, changes: Step<D>['changes']): 'applied' | Fault {
  if ('error' in changes) return changes;
  const staged = attempt(() => stagedOf(after, changes));
  if ('error' in staged) return staged;
  for (const [place, row] of staged) after.set(place, row);
  return 'applied';
}

function stagedOf<D extends Document>(
  after: ReadonlyMap<string, Folded<D>>,
  changes: readonly Change<D>[],
): ReadonlyMap<string, Folded<D>> {
  const staged = new Map<string, Folded<D>>();
  for (const change of changes) {
    const { tenantId, key } = change;
    const place = placeOf({ tenantId, key });
    const current = (staged.get(place) ?? after.get(place))?.document ?? null;
    staged.set(place, { tenantId, key, document: change.update(current) });
  }
  return staged;
}

/** Runs the projection's code: only its own errors are faults. */
function attempt<Result>(work: () => Result): Result | Fault {
  try {
    return work();
  } catch (error) {
    if (!isPoison(error)) throw error;
    return faultOf(error, 'services/projector/');
  }
}
