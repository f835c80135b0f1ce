import { errorRow } from '../../schemas/error-codes.ts';
import type { Rejection } from '../../schemas/decision.ts';
import type { CommandReceipt, EventStore } from './port.ts';
import type { FoldedStream, StreamCache } from './stream-cache.ts';
import type { TransactAnswer, TransactRequest } from './transact.ts';

type WithoutEvents<State> = { readonly folded: FoldedStream<State>; readonly rejection: Rejection | null };
type Round<State> = Promise<TransactAnswer<State> | 'again'>;

type Parts<State> = { readonly store: EventStore; readonly cache: StreamCache<State>; readonly initial: State };
type Request = TransactRequest<unknown>;

/**
 * Answers that made no events. A durable one is stored under the command's id, if the stream's head is still the one
 * decided on; so a stale cache cannot make a wrong rejection last. Any other is given only after the cache was
 * brought up to date, and after asking whether the command had an answer before.
 */
export type AnswerStore<State> = {
  /** The first answer again; 'key-reused' where the payload was another. */
  fromReceipt(request: Request, hash: string, receipt: CommandReceipt): Promise<TransactAnswer<State>>;
  withoutEvents(request: Request, hash: string, answer: WithoutEvents<State>): Round<State>;
  mismatch(request: Request, hash: string, decidedOn: number): Round<State>;
};

export function answerStore<State>(parts: Parts<State>): AnswerStore<State> {
  const fromReceipt: AnswerStore<State>['fromReceipt'] = (request, hash, receipt) =>
    replay(parts, request, { hash, receipt });
  const stillCurrent = currency(parts);
  return {
    fromReceipt,
    withoutEvents: async (request, hash, answer) => {
      if (isKept(request.answers, answer.rejection)) return durable(parts, request, { hash, answer });
      return (await stillCurrent(request, hash, answer.folded.revision)) ?? given(answer, parts.initial);
    },
    mismatch: async (request, hash, decidedOn) =>
      (await stillCurrent(request, hash, decidedOn)) ?? { outcome: 'version-mismatch', version: decidedOn + 1 },
  };
}

function isKept(answers: Request['answers'], rejection: Rejection | null): boolean {
  if (answers === 'recomputed') return false;
  if (rejection === null || errorRow(rejection.code).durable === true) return true;
  return answers === 'all-durable' && rejection.code !== 'ORDER_NOT_FOUND';
}

async function replay<State>(
  { cache }: Parts<State>,
  request: Request,
  { hash, receipt }: { readonly hash: string; readonly receipt: CommandReceipt },
): Promise<TransactAnswer<State>> {
  if (receipt.commandHash !== hash) return { outcome: 'key-reused' };
  const { version, rejection } = receipt;
  if (rejection !== null) return { outcome: 'rejected', rejection, version, replayed: true };
  const folded = await cache.refresh(request.stream);
  return { outcome: 'accepted', version, events: [], state: folded.state, replayed: true };
}

/** null: the command is new and the stream's head is still the one decided on. */
function currency<State>(parts: Parts<State>) {
  return async (request: Request, hash: string, decidedOn: number): Promise<TransactAnswer<State> | 'again' | null> => {
    const receipt = await parts.store.findCommand(request.tenantId, request.commandId);
    if (receipt !== null) return replay(parts, request, { hash, receipt });
    const refreshed = await parts.cache.refresh(request.stream);
    return refreshed.revision === decidedOn ? null : 'again';
  };
}

async function durable<State>(
  parts: Parts<State>,
  request: Request,
  { hash, answer }: { readonly hash: string; readonly answer: WithoutEvents<State> },
): Round<State> {
  const { stream, tenantId, commandId } = request;
  const { revision } = answer.folded;
  const receipt = {
    tenantId,
    commandId,
    commandHash: hash,
    stream,
    version: revision + 1,
    rejection: answer.rejection,
  };
  const result = await parts.store.recordAnswer(receipt, revision < 0 ? 'none' : revision);
  switch (result.outcome) {
    case 'recorded':
      return given(answer, parts.initial);
    case 'known':
      return replay(parts, request, { hash, receipt: result.receipt });
    case 'stale':
      await parts.cache.refresh(stream);
      return 'again';
  }
}

function given<State>({ folded, rejection }: WithoutEvents<State>, initial: State): TransactAnswer<State> {
  const version = folded.revision + 1;
  if (rejection !== null) return { outcome: 'rejected', rejection, version, replayed: false };
  return { outcome: 'accepted', version, events: [], state: version === 0 ? initial : folded.state, replayed: false };
}
