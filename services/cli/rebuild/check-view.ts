import { createHash } from 'node:crypto';

import type { EventStore } from '../../../infra/event-store/port.ts';
import type { ReadStore } from '../../../infra/read-store/port.ts';
import type { Projection } from '../../../projections/projection.ts';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { compareView } from '../verify/compare-view.ts';
import { eventsOf } from '../verify/log.ts';
import { openViewFold } from '../verify/view-fold.ts';

export type CheckedView = {
  readonly documents: number;
  /** SHA-256 over the documents in their order: two rebuilds up to one place have the same. */
  readonly digest: string;
  /** Documents that are not the fold of the log, or are missing, or should not be. */
  readonly differing: number;
  /** The first ten of them, as `<tenant> <key>`. */
  readonly examples: readonly string[];
  readonly remarks: readonly string[];
};

export type CheckViewOptions = {
  readonly store: Pick<EventStore, 'readLog' | 'readStream' | 'comparePositions'>;
  readonly readStore: Pick<ReadStore, 'checkpoints' | 'scanProgress' | 'find' | 'scan' | 'parking'>;
  readonly projection: Projection;
  /** Whether a projector may be moving the view on meanwhile. */
  readonly isRunning: boolean;
  readonly signal: AbortSignal;
};

const examplesMax = 10;
const patienceMs = 10_000;

/** A view as it is against the fold of the log, and what it is in one word. */
export async function checkView(options: CheckViewOptions): Promise<CheckedView> {
  const { store, readStore: views, projection, isRunning, signal } = options;
  const fold = openViewFold(projection);
  try {
    for await (const event of eventsOf({ store, signal }, null)) fold.apply(event);
    const { differing, remarks } = await compareView({ store, views, isRunning, patienceMs, signal }, fold);
    const examples = differing.slice(0, examplesMax).map(({ tenantId, key }) => `${tenantId} ${key}`);
    return { ...(await digestOf(options)), differing: differing.length, examples, remarks };
  } finally {
    fold.close();
  }
}

async function digestOf({
  readStore,
  projection,
  signal,
}: CheckViewOptions): Promise<Pick<CheckedView, 'documents' | 'digest'>> {
  const hash = createHash('sha256');
  let documents = 0;
  for await (const { tenantId, key, document } of readStore.scan(projection.view)) {
    signal.throwIfAborted();
    hash.update(`${tenantId} ${key} ${canonicalJson(document)}\n`);
    documents += 1;
  }
  return { documents, digest: hash.digest('hex') };
}
