import { setTimeout as wait } from 'node:timers/promises';

import { forEachBounded } from './bounded.ts';
import { jsonOf } from './http-client.ts';
import type { HttpAnswer, HttpClient, NoAnswer } from './http-client.ts';
import type { LedgerFile, LedgerLine } from './ledger-file.ts';
import type { Placement } from './order-bodies.ts';

export type PlacingOptions = {
  readonly client: HttpClient;
  readonly ledger: LedgerFile;
  readonly tenantId: string;
  readonly placements: Iterable<Placement>;
  /** Placements in flight. */
  readonly concurrency: number;
  /** How long one placement without an answer is sent again, always with its key; 0: never. */
  readonly retryForMs: number;
  /** Waited for before each placement; absent: as fast as they are answered. */
  readonly admit?: (placement: Placement) => Promise<void>;
  /** Told once the answer is in the ledger on disk. */
  readonly onAcked?: (placement: Placement, line: LedgerLine) => void;
};

/** Orders that are being placed. */
export type Placing = {
  /** Answered, and in the ledger on disk. */
  readonly acked: () => number;
  readonly inFlight: () => number;
  readonly done: Promise<PlacingReport>;
};

export type PlacingReport = {
  readonly acked: number;
  /** Commands that were sent at least once without learning what became of it. */
  readonly ambiguous: number;
  /** Acknowledged by the replay of an answer that was lost before. */
  readonly replayed: number;
  /** Without an answer until the end, with their last failure. */
  readonly unresolved: readonly { readonly placement: Placement; readonly reason: string }[];
  /** Answered with a refusal that asking again would not change. */
  readonly refused: readonly { readonly placement: Placement; readonly reason: string }[];
  /** Failed attempts by their reason: Node's code, or the problem's. */
  readonly errors: ReadonlyMap<string, number>;
};

/**
 * Places orders with bounded concurrency, one Idempotency-Key each. An attempt without an answer is repeated with the
 * same key, so a command that was carried out before the server died is answered by its replay.
 */
export function startPlacing(options: PlacingOptions): Placing {
  const tally = newTally();
  const done = forEachBounded(options.placements, options.concurrency, async (placement) => {
    await options.admit?.(placement);
    await place(placement, options, tally);
  }).then(() => ({ ...tally, acked: tally.acked, ambiguous: tally.ambiguous.size }));
  return { acked: () => tally.acked, inFlight: () => tally.inFlight, done };
}

type Tally = {
  acked: number;
  inFlight: number;
  replayed: number;
  readonly ambiguous: Set<string>;
  readonly unresolved: { placement: Placement; reason: string }[];
  readonly refused: { placement: Placement; reason: string }[];
  readonly errors: Map<string, number>;
};

function newTally(): Tally {
  return { acked: 0, inFlight: 0, replayed: 0, ambiguous: new Set(), unresolved: [], refused: [], errors: new Map() };
}

const retryAfterMs = 100;

async function place(placement: Placement, options: PlacingOptions, tally: Tally): Promise<void> {
  const deadline = performance.now() + options.retryForMs;
  for (;;) {
    const outcome = await attempt(placement, options.client, tally);
    const verdict = judge(outcome);
    if (verdict.kind === 'acknowledged') return acknowledge(verdict.answer, { placement, options, tally });
    tally.errors.set(verdict.reason, (tally.errors.get(verdict.reason) ?? 0) + 1);
    if (verdict.kind === 'refused') return void tally.refused.push({ placement, reason: verdict.reason });
    if (verdict.isAmbiguous) tally.ambiguous.add(placement.commandId);
    if (performance.now() >= deadline) return void tally.unresolved.push({ placement, reason: verdict.reason });
    await wait(retryAfterMs);
  }
}

async function attempt(
  { commandId, body }: Placement,
  client: HttpClient,
  tally: Tally,
): Promise<HttpAnswer | NoAnswer> {
  tally.inFlight += 1;
  const outcome = await client.send({ path: '/v1/orders', post: { key: commandId, body } });
  tally.inFlight -= 1;
  return outcome;
}

type Verdict =
  | { readonly kind: 'acknowledged'; readonly answer: HttpAnswer }
  | { readonly kind: 'again'; readonly reason: string; readonly isAmbiguous: boolean }
  | { readonly kind: 'refused'; readonly reason: string };

const passingStatuses: ReadonlySet<number> = new Set([408, 429, 502, 503, 504]);

function judge(outcome: HttpAnswer | NoAnswer): Verdict {
  if ('noAnswer' in outcome) return { kind: 'again', reason: outcome.noAnswer, isAmbiguous: outcome.wasSent };
  if (outcome.status === 201) return { kind: 'acknowledged', answer: outcome };
  const { code } = jsonOf(outcome);
  const reason = typeof code === 'string' ? code : `HTTP_${outcome.status}`;
  const isPassing = passingStatuses.has(outcome.status) || code === 'IDEMPOTENCY_KEY_IN_PROGRESS';
  return isPassing ? { kind: 'again', reason, isAmbiguous: code === 'OUTCOME_UNKNOWN' } : { kind: 'refused', reason };
}

type Acknowledging = { readonly placement: Placement; readonly options: PlacingOptions; readonly tally: Tally };

/** The ledger first: an answer that a crash of ours could forget must not be counted. */
async function acknowledge(answer: HttpAnswer, { placement, options, tally }: Acknowledging): Promise<void> {
  const { commandId } = placement;
  const line = ledgerLine(answer, { tenantId: options.tenantId, commandId });
  if (line === null) return void tally.refused.push({ placement, reason: 'a 201 without orderId and version' });
  await options.ledger.append(line);
  tally.acked += 1;
  options.onAcked?.(placement, line);
  if (answer.isReplay) tally.replayed += 1;
}

function ledgerLine(answer: HttpAnswer, ids: Pick<LedgerLine, 'tenantId' | 'commandId'>): LedgerLine | null {
  const { orderId, version } = jsonOf(answer);
  if (typeof orderId !== 'string' || typeof version !== 'number') return null;
  return { ...ids, orderId, version, status: answer.status };
}
