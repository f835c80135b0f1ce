import { hash } from 'node:crypto';

import type { RecordedEvent } from '../../../../schemas/envelope.ts';
import type { StreamName } from '../../../../schemas/ids.ts';
import { noViolations } from '../invariant.ts';
import type { Invariant, VerifyInput } from '../invariant.ts';
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
    const starts = growingList();
    let last: RecordedEvent | undefined;
    return {
      see: (event) => {
        last = event;
        if (runs.startsRun(event)) starts.add(numberOf(event));
      },
      finish: async () => {
        const suspects = starts.twice();
        const violations = noViolations();
        const repeated = suspects.size === 0 ? [] : await lookAgain(input, { suspects, last });
        for (const name of repeated) violations.add(name);
        return { checked: starts.size(), violations };
      },
    };
  },
};

function findRuns() {
  const latest = new Map<StreamName, { readonly number: number; readonly recordedAt: string }>();
  return {
    startsRun: (event: RecordedEvent): boolean => {
      const number = numberOf(event);
      const before = latest.get(event.stream);
      latest.set(event.stream, { number, recordedAt: event.recordedAt });
      return before?.number !== number || before.recordedAt !== event.recordedAt;
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

/** Numbers at 8 bytes each. */
function growingList() {
  let numbers = new Float64Array(4_096);
  let size = 0;
  return {
    size: () => size,
    add: (number: number): void => {
      if (size === numbers.length) {
        const larger = new Float64Array(size * 2);
        larger.set(numbers);
        numbers = larger;
      }
      numbers[size] = number;
      size += 1;
    },
    twice: (): ReadonlySet<number> => {
      const sorted = numbers.slice(0, size).sort();
      const found = new Set<number>();
      sorted.forEach((number, index) => {
        if (index > 0 && sorted[index - 1] === number) found.add(number);
      });
      return found;
    },
  };
}
