import type { StreamName } from '../../../../schemas/ids.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

/** The log is what the feed delivers, in this order. */
export const orderOnTheFeed: Invariant = {
  id: 'I9',
  statement: 'On the feed, the first occurrences of the events of a stream are its revisions in order.',
  check: () => {
    const last = new Map<StreamName, number>();
    const violations = noViolations();
    let checked = 0;
    return {
      see: ({ stream, revision }) => {
        checked += 1;
        const expected = (last.get(stream) ?? -1) + 1;
        if (revision > expected) violations.add(`${stream} brings revision ${revision} before ${expected}`);
        last.set(stream, Math.max(revision, expected - 1));
      },
      finish: () => ({ checked, violations }),
    };
  },
};
