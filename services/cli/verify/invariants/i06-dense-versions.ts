import type { StreamName } from '../../../../schemas/ids.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant } from '../invariant.ts';

/** Keeps the next revision of each stream, and apart only those that came before their turn. */
export const denseVersions: Invariant = {
  id: 'I6',
  statement: 'The revisions of a stream are 0 to n-1, each once.',
  check: () => {
    const next = new Map<StreamName, number>();
    const early = new Map<StreamName, Set<number>>();
    const violations = noViolations();
    return {
      see: ({ stream, revision }) => {
        const expected = next.get(stream) ?? 0;
        const waiting = early.get(stream) ?? new Set<number>();
        if (revision < expected || waiting.has(revision)) violations.add(`${stream} has revision ${revision} twice`);
        else waiting.add(revision);
        let reached = expected;
        while (waiting.delete(reached)) reached += 1;
        next.set(stream, reached);
        if (waiting.size > 0) early.set(stream, waiting);
        else early.delete(stream);
      },
      finish: () => {
        for (const stream of early.keys()) violations.add(`${stream} has no revision ${next.get(stream) ?? 0}`);
        return { checked: next.size, violations };
      },
    };
  },
};
