import { createHmac } from 'node:crypto';

import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { OperationalFailure } from '../../failures.ts';
import type { Append, AppendResult, EventStore, Position } from '../port.ts';
import { comparePlaces, toPlace } from '../position.ts';
import { admitEvent, admitTexts, textsOfReceipt } from './admission.ts';
import { backlogOf, headOfLog, readLogOf, readStreamOf } from './memory-reads.ts';
import {
  commitAnswer,
  commitAppend,
  findReceipt,
  newMemoryLog,
  rehearseAppend,
  type AdmittedAppend,
  type MemoryLog,
  type MemoryLogOptions,
} from './memory-log.ts';

export type MemoryEventStoreOptions = MemoryLogOptions & {
  /** Shared with another handle, as two processes share a database; a log of its own if absent. */
  readonly log?: MemoryLog;
  /** Appends in flight at most; then OVERLOADED. 10,000 if absent. */
  readonly queuedMax?: number;
};

/** All promises of the port, except that nothing outlives the process: for tests, and for looking at the system without a disk. */
export function openMemoryEventStore(options: MemoryEventStoreOptions = {}): EventStore {
  const { log = newMemoryLog(options), queuedMax = 10_000 } = options;
  const door = openDoor(queuedMax);
  const listeners = openListeners();
  return {
    epoch: log.epoch,
    // It ends with its process, and its epoch with it.
    formerEpochs: [],
    append: (append) => door.enter(() => appendTo(log, append, listeners.tell)),
    rehearse: (append) =>
      door.enter(() => {
        const admitted = admit(append);
        return () => rehearseAppend(log, admitted);
      }),
    recordAnswer: (receipt, expected) =>
      door.enter(() => {
        admitTexts(textsOfReceipt(receipt));
        const copy = structuredClone(receipt);
        return () => commitAnswer(log, copy, expected);
      }),
    readStream: (slice) => door.enter(() => () => readStreamOf(log, slice)),
    readLog: (query) => door.enter(() => () => readLogOf(log, query)),
    findCommand: (tenantId, commandId) => door.enter(() => () => findReceipt(log, tenantId, commandId)),
    backlog: (query) => door.enter(() => () => backlogOf(log, query)),
    fenceHold: () => Promise.resolve(null),
    head: () => door.enter(() => () => headOfLog(log)),
    comparePositions: (a, b) => comparePlaces(toPlace(log.epoch, a), toPlace(log.epoch, b)),
    commandHash: (payload) => createHmac('sha256', log.secret).update(canonicalJson(payload)).digest('hex'),
    onAppend: listeners.add,
    ping: () => door.enter(() => () => undefined),
    status: () => ({ queued: door.entered() }),
    close: () => door.close(),
  };
}

function admit(append: Append): AdmittedAppend {
  const { stream, tenantId, commandId, commandHash, correlationId, claim } = append;
  admitTexts([
    stream,
    tenantId,
    commandId,
    commandHash,
    correlationId,
    claim,
    ...append.events.map(({ type }) => type),
  ]);
  return { ...append, events: append.events.map(admitEvent) };
}

function appendTo(log: MemoryLog, append: Append, tell: (position: Position) => void): () => AppendResult {
  const admitted = admit(append);
  return () => {
    const result = commitAppend(log, admitted);
    if (result.outcome === 'appended') tell(result.position);
    return result;
  };
}

type Door = {
  /** Prepares at once, so that what the caller changes later is not seen, and commits in a later turn, in order. */
  enter<Result>(prepare: () => () => Result): Promise<Result>;
  entered(): number;
  close(): Promise<void>;
};

function openDoor(enteredMax: number): Door {
  let entered = 0;
  let closed = false;
  const refuse = (): OperationalFailure | null => {
    if (closed) return new OperationalFailure('STORE_UNAVAILABLE', 'the store is closed', { retryable: true });
    if (entered < enteredMax) return null;
    return new OperationalFailure('OVERLOADED', `${enteredMax} calls are in flight`, { retryable: true });
  };
  return {
    enter: async (prepare) => {
      const refusal = refuse();
      if (refusal !== null) throw refusal;
      const commit = prepare();
      entered += 1;
      try {
        await Promise.resolve();
        return commit();
      } finally {
        entered -= 1;
      }
    },
    entered: () => entered,
    close: () => {
      closed = true;
      return Promise.resolve();
    },
  };
}

type Listener = (position: Position) => void;

function openListeners(): { readonly add: (listener: Listener) => () => void; readonly tell: Listener } {
  const listeners = new Map<symbol, Listener>();
  return {
    add: (listener) => {
      const key = Symbol('listener');
      listeners.set(key, listener);
      return () => void listeners.delete(key);
    },
    tell: (position) => {
      for (const listener of listeners.values()) listener(position);
    },
  };
}
