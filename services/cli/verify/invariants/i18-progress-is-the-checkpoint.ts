import { projections } from '../../../../projections/all.ts';
import type { Projection } from '../../../../projections/projection.ts';
import { categoryOf, type StreamName } from '../../../../schemas/ids.ts';
import { noViolations, type Invariant, type VerifyInput, type ViolationList } from '../invariant.ts';
import { openStreamHeads, type StreamHeads } from '../stream-heads.ts';
import { viewPlaceOf } from '../view-place.ts';

/**
 * Rows, progress and checkpoint are one transaction, so the progress of every stream must be where the log was at the
 * checkpoint: before it, an event was lost on the way (I14); after it, something was written outside of the transaction.
 * A view that moves on while it is looked at may be anywhere between the checkpoint before and the one after. One that
 * follows published events has all up to the least place of its partitions, once each of them has one.
 */
export const progressIsTheCheckpoint: Invariant = {
  id: 'I18',
  statement:
    'Of every stream a view has seen just what the log holds up to its checkpoint: nothing dropped, nothing beyond.',
  check: (input) => {
    const heads = openStreamHeads();
    return {
      see: heads.see,
      finish: async () => {
        if (heads.isEmpty()) return { notChecked: 'the log is empty' };
        const violations = noViolations();
        let checked = 0;
        for (const projection of projections) checked += await checkProgress(input, { projection, heads, violations });
        return { checked, violations };
      },
    };
  },
};

type Checking = {
  readonly projection: Projection;
  readonly heads: StreamHeads;
  readonly violations: ViolationList;
};

async function checkProgress(input: VerifyInput, { projection, heads, violations }: Checking): Promise<number> {
  const { name } = projection.view;
  const place = await viewPlaceOf(input, name);
  const before = await heads.at(input, place.position);
  const seen = new Map<StreamName, number>();
  for await (const { stream, revision } of input.views.scanProgress(name)) {
    input.signal.throwIfAborted();
    seen.set(stream, revision);
  }
  // Partitions are at places of their own, beyond the least of them: nothing is beyond the log's end.
  const after = await heads.at(input, place.feed === 'log' ? (await viewPlaceOf(input, name)).position : 'end');
  const parked = await checkParked(input, projection, { seen, before, violations });
  for (const [stream, revision] of seen) {
    if (parked.has(stream)) continue;
    if (revision < before(stream)) violations.add(`${name} dropped ${stream} after revision ${revision}`);
    if (revision > after(stream))
      violations.add(`${name} is ahead of its checkpoint: ${stream} at revision ${revision}`);
  }
  for (const stream of heads.streams()) {
    if (!projection.categories.includes(categoryOf(stream)) || seen.has(stream) || before(stream) < 0) continue;
    if (parked.has(stream)) continue;
    violations.add(`${name} never saw ${stream}`);
  }
  return seen.size;
}

type Parking = {
  readonly seen: ReadonlyMap<StreamName, number>;
  readonly before: (stream: StreamName) => number;
  readonly violations: ViolationList;
};

/** A parked stream stands right before what it could not take, and what came later waits; a discarded one may not. */
async function checkParked(
  input: VerifyInput,
  { view }: Projection,
  { seen, before, violations }: Parking,
): Promise<ReadonlySet<StreamName>> {
  const streams = await input.views.parking.streams(view.name);
  for (const { stream, firstRevision, lastRevision, state } of streams) {
    const revision = seen.get(stream) ?? -1;
    if (revision !== firstRevision - 1) {
      violations.add(`${view.name} parked ${stream} from revision ${firstRevision}, and stands at ${revision}`);
    }
    if (state === 'parked' && lastRevision < before(stream)) {
      violations.add(`${view.name} dropped ${stream}, which is parked, after revision ${lastRevision}`);
    }
  }
  return new Set(streams.map(({ stream }) => stream));
}
