import { hash } from 'node:crypto';

import type { RecordedEvent } from '../../../../schemas/envelope.ts';
import type { StreamName } from '../../../../schemas/ids.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant, VerifyInput } from '../invariant.ts';
import { growingNumbers } from '../growing-numbers.ts';
import { eventsUpTo } from '../log.ts';

/**
 * A command's events are one append: one stream, revisions in a row, one recorded time. Each start of such a run is
 * kept as a number of 48 bits only; numbers that come twice are looked at again with their full ids.
 */
export const oneEffect: Invariant = {
  id: 'I2',
  statement: 'One command id has one effect per tenant.',
  check: (input) => {
    const runs = findRuns();
    const starts = growingNumbers();
    let last: RecordedEvent | undefined;
    return {
      see: (event) => {
        last = event;
        if (runs.startsRun(event)) starts.add(numberOf(event));
      },
      finish: async () => {
        const suspects = twiceIn(starts.sorted());
        const violations = noViolations();
        const repeated = suspects.size === 0 ? [] : await lookAgain(input, { suspects, last });
        for (const name of repeated) violations.add(name);
        return { checked: starts.size(), violations };
      },
    };
  },
};

function findRuns() {
  // The append that was last on each stream: its command and its time. A stream has one tenant.
  const latest = new Map<StreamName, string>();
  return {
    startsRun: ({ stream, commandId, recordedAt }: RecordedEvent): boolean => {
      const append = `${recordedAt} ${commandId}`;
      if (latest.get(stream) === append) return false;
      latest.set(stream, append);
      return true;
    },
  };
}

type Suspicion = { readonly suspects: ReadonlySet<number>; readonly last: RecordedEvent | undefined };

async function lookAgain(input: VerifyInput, { suspects, last }: Suspicion): Promise<readonly string[]> {
  const runs = findRuns();
  const first = new Map<string, StreamName>();
  const repeated: string[] = [];
  for await (const event of eventsUpTo(input, { after: null, to: last?.position ?? null })) {
    if (!runs.startsRun(event) || !suspects.has(numberOf(event))) continue;
    const id = idOf(event);
    const before = first.get(id);
    const place = `${event.stream} at revision ${event.revision}`;
    if (before === undefined) first.set(id, event.stream);
    else repeated.push(`command ${event.commandId} has an effect in ${before} and another in ${place}`);
  }
  return repeated;
}

function idOf({ tenantId, commandId }: RecordedEvent): string {
  return `${tenantId} ${commandId}`;
}

function numberOf(event: RecordedEvent): number {
  return hash('sha1', idOf(event), 'buffer').readUIntBE(0, 6);
}

function twiceIn(sorted: Float64Array): ReadonlySet<number> {
  const found = new Set<number>();
  sorted.forEach((number, index) => {
    if (index > 0 && sorted[index - 1] === number) found.add(number);
  });
  return found;
}
