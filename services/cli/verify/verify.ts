import type { EventStore } from '../../../infra/event-store/port.ts';
import type { Position, RecordedEvent } from '../../../schemas/envelope.ts';
import type { Finding, Invariant, VerifyInput } from './invariant.ts';

export type Verdict = { readonly id: string; readonly statement: string; readonly finding: Finding };

/** Runs the checks in one pass over the log as it is now. Nothing to check is not a pass: it is said so. */
export async function verify(invariants: readonly Invariant[], input: VerifyInput): Promise<readonly Verdict[]> {
  const checks = await Promise.all(
    invariants.map(async (invariant) => ({ invariant, check: await invariant.check(input) })),
  );
  for await (const event of eventsOf(input, null)) {
    for (const { check } of checks) check.see?.(event);
  }
  const verdicts: Verdict[] = [];
  for (const { invariant, check } of checks) {
    const { id, statement } = invariant;
    verdicts.push({ id, statement, finding: notEmpty(await check.finish()) });
  }
  return verdicts;
}

type Log = { readonly store: Pick<EventStore, 'readLog' | 'comparePositions'>; readonly signal: AbortSignal };

/** The log after one position, in pages, to where it ends: no other word of the store is believed about its end. */
export async function* eventsOf({ store, signal }: Log, after: Position | null): AsyncGenerator<RecordedEvent> {
  let last = after;
  for (;;) {
    signal.throwIfAborted();
    const { events, atEnd } = await store.readLog({ after: last, limit: pageSize });
    yield* events;
    last = events.at(-1)?.position ?? last;
    if (atEnd || events.length === 0) return;
  }
}

/** The same up to and with another position; nothing where `to` is null. */
export async function* eventsUpTo(
  log: Log,
  { after, to }: { readonly after: Position | null; readonly to: Position | null },
): AsyncGenerator<RecordedEvent> {
  if (to === null) return;
  for await (const event of eventsOf(log, after)) {
    if (log.store.comparePositions(event.position, to) > 0) return;
    yield event;
  }
}

const pageSize = 2_000;

function notEmpty(finding: Finding): Finding {
  if ('notChecked' in finding || finding.checked > 0) return finding;
  return { notChecked: 'there is nothing of its kind yet' };
}
