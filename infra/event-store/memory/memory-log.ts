import { createSecretKey, randomBytes, randomUUID, type KeyObject } from 'node:crypto';

import type { Recorded } from '../../../schemas/envelope.ts';
import type { CommandId, Revision, StreamName, TenantId } from '../../../schemas/ids.ts';
import type {
  Append,
  Appended,
  AnswerResult,
  AppendResult,
  CommandReceipt,
  RecordedEvent,
  RehearsalResult,
} from '../port.ts';
import { toPosition } from '../position.ts';
import { OperationalFailure } from '../../failures.ts';
import type { AdmittedEvent } from './admission.ts';

export type MemoryLogOptions = {
  /** A uuid; a new one if absent. */
  readonly epoch?: string;
  /** The store's clock. */
  readonly now?: () => Date;
  /** Events that the log holds at most; then appends are refused with OVERLOADED. 1,000,000 if absent. */
  readonly eventsMax?: number;
};

/** What all handles of one store share, as processes share a database. */
export type MemoryLog = {
  readonly epoch: string;
  readonly secret: KeyObject;
  readonly now: () => Date;
  readonly eventsMax: number;
  /** The index is the position's ordinal. */
  readonly events: RecordedEvent[];
  /** The index is the revision. */
  readonly streams: Map<StreamName, RecordedEvent[]>;
  readonly receipts: Map<string, CommandReceipt>;
  readonly claims: Set<string>;
};

export type AdmittedAppend = Omit<Append, 'events'> & { readonly events: readonly AdmittedEvent[] };

export function newMemoryLog(options: MemoryLogOptions = {}): MemoryLog {
  const { epoch = randomUUID(), now = () => new Date(), eventsMax = 1_000_000 } = options;
  const shared = { events: [], streams: new Map(), receipts: new Map(), claims: new Set<string>() };
  return { epoch, secret: createSecretKey(randomBytes(32)), now, eventsMax, ...shared };
}

/** Why an append is not taken, looked at and nothing written. */
export function rehearseAppend(log: MemoryLog, append: AdmittedAppend): RehearsalResult {
  const { tenantId, commandId, stream, claim } = append;
  const receipt = log.receipts.get(wordOf(tenantId, commandId));
  if (receipt !== undefined) return { outcome: 'known', receipt };
  if (headOf(log, stream) !== append.expected) return { outcome: 'stale' };
  if (claim !== undefined && log.claims.has(wordOf(tenantId, claim))) return { outcome: 'claimed' };
  return { outcome: 'appendable' };
}

/** One turn of the event loop, so whole or not at all. */
export function commitAppend(log: MemoryLog, append: AdmittedAppend): AppendResult {
  const { tenantId, commandId, commandHash, stream, claim } = append;
  const result = rehearseAppend(log, append);
  if (result.outcome === 'known') return sameRows(log, append, result.receipt) ?? result;
  if (result.outcome !== 'appendable') return result;
  if (log.events.length + append.events.length > log.eventsMax) {
    throw new OperationalFailure('OVERLOADED', `the log in memory is full at ${log.eventsMax}`, { retryable: true });
  }
  const appended = write(log, append);
  if (claim !== undefined) log.claims.add(wordOf(tenantId, claim));
  const version = appended.revision + 1;
  log.receipts.set(wordOf(tenantId, commandId), { tenantId, commandId, commandHash, stream, version, rejection: null });
  return appended;
}

export function commitAnswer(log: MemoryLog, receipt: CommandReceipt, expected: Revision | 'none'): AnswerResult {
  const word = wordOf(receipt.tenantId, receipt.commandId);
  const known = log.receipts.get(word);
  if (known !== undefined) return { outcome: 'known', receipt: known };
  if (headOf(log, receipt.stream) !== expected) return { outcome: 'stale' };
  log.receipts.set(word, receipt);
  return { outcome: 'recorded' };
}

export function findReceipt(log: MemoryLog, tenantId: TenantId, commandId: CommandId): CommandReceipt | null {
  return log.receipts.get(wordOf(tenantId, commandId)) ?? null;
}

/** A resend after a lost answer: the ids of its events tell that the stored ones are its own. */
function sameRows(log: MemoryLog, { events }: AdmittedAppend, { stream, version }: CommandReceipt): Appended | null {
  const stored = log.streams.get(stream)?.slice(Math.max(version - events.length, 0), version) ?? [];
  return stored.length > 0 && stored[0]?.eventId === events[0]?.eventId ? appendedOf(stored) : null;
}

function headOf(log: MemoryLog, stream: StreamName): Revision | 'none' {
  const length = log.streams.get(stream)?.length ?? 0;
  return length === 0 ? 'none' : length - 1;
}

function write(log: MemoryLog, append: AdmittedAppend): Appended {
  const history = log.streams.get(append.stream) ?? [];
  log.streams.set(append.stream, history);
  const recordedAt = log.now().toISOString();
  const events = append.events.map((event, index) => {
    const position = toPosition(log.epoch, { tx: 0n, ordinal: log.events.length + index });
    return recorded(append, event, { position, revision: history.length + index, recordedAt });
  });
  history.push(...events);
  log.events.push(...events);
  return appendedOf(events);
}

function appendedOf(events: readonly RecordedEvent[]): Appended {
  const last = events.at(-1);
  if (last === undefined) throw new Error('an append holds at least one event');
  return { outcome: 'appended', revision: last.revision, position: last.position, events };
}

type GivenByStore = Pick<Recorded, 'position' | 'revision' | 'recordedAt'>;

function recorded(append: AdmittedAppend, event: AdmittedEvent, given: GivenByStore): RecordedEvent {
  const { stream, tenantId, origin, commandId, correlationId, causationId } = append;
  const { eventId, type, schemaVersion, data } = event;
  const occurredAt = event.occurredAt === undefined ? given.recordedAt : event.occurredAt;
  const envelope = { ...given, eventId, stream, type, schemaVersion, tenantId, occurredAt, origin, commandId };
  // The store keeps what the decider made; the type says so, nothing here can check it.
  return Object.freeze({ ...envelope, correlationId, causationId, data }) as unknown as RecordedEvent;
}

/** Tenants have no space in their names. */
function wordOf(tenantId: TenantId, word: string): string {
  return `${tenantId} ${word}`;
}
