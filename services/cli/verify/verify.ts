import type { EventStore } from '../../../infra/event-store/port.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import type { Finding, Invariant, VerifyInput } from './invariant.ts';

export type Verdict = { readonly id: string; readonly statement: string; readonly finding: Finding };

/** Runs the checks in one pass over the log as it is now. Nothing to check is not a pass: it is said so. */
export async function verify(invariants: readonly Invariant[], input: VerifyInput): Promise<readonly Verdict[]> {
  const checks = await Promise.all(
    invariants.map(async (invariant) => ({ invariant, check: await invariant.check(input) })),
  );
  const head = await input.store.head();
  for await (const event of eventsUpTo(input, { after: null, to: head })) {
    for (const { check } of checks) check.see?.(event);
  }
  const verdicts: Verdict[] = [];
  for (const { invariant, check } of checks) {
    const { id, statement } = invariant;
    verdicts.push({ id, statement, finding: notEmpty(await check.finish()) });
  }
  return verdicts;
}

/** The log after one position up to and with another, in pages; nothing where `to` is null. */
export async function* eventsUpTo(
  { store, signal }: { readonly store: Pick<EventStore, 'readLog' | 'comparePositions'>; readonly signal: AbortSignal },
  { after, to }: { readonly after: Position | null; readonly to: Position | null },
): AsyncGenerator<RecordedEvent> {
  if (to === null) return;
  for (let from = after; ;) {
    signal.throwIfAborted();
    const { events, checkpoint, atEnd } = await store.readLog({ after: from, limit: pageSize });
    for (const event of events) {
      if (store.comparePositions(event.position, to) > 0) return;
      yield event;
    }
    if (atEnd || checkpoint === null || store.comparePositions(checkpoint, to) >= 0) return;
    from = checkpoint;
  }
}

const pageSize = 2_000;

function notEmpty(finding: Finding): Finding {
  if ('notChecked' in finding || finding.checked > 0) return finding;
  return { notChecked: 'there is nothing of its kind yet' };
}
