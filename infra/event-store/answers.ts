import { errorRow } from '../../schemas/error-codes.ts';
import type { Rejection } from '../../schemas/decision.ts';
import type { CommandReceipt, EventStore } from './port.ts';
import type { FoldedStream, StreamCache } from './stream-cache.ts';
import type { TransactAnswer, TransactRequest } from './transact.ts';

type WithoutEvents<State> = { readonly folded: FoldedStream<State>; readonly rejection: Rejection | null };
type Round<State> = Promise<TransactAnswer<State> | 'again'>;

/**
 * Answers that made no events. A durable one is stored under the command's id, if the stream's head is still the one
 * decided on; so a stale cache cannot make a wrong rejection last. Any other is given only after the cache was
 * brought up to date, and after asking whether the command had an answer before.
 */
export function answerStore<State>(store: EventStore, cache: StreamCache<State>, initial: State) {
  const fromReceipt = async <C>(request: TransactRequest<C>, hash: string, receipt: CommandReceipt): Round<State> => {
    if (receipt.commandHash !== hash) return { outcome: 'key-reused' };
    const { version, rejection } = receipt;
    if (rejection !== null) return { outcome: 'rejected', rejection, version, replayed: true };
    const folded = await cache.refresh(request.stream);
    return { outcome: 'accepted', version, events: [], state: folded.state, replayed: true };
  };

  const current = async <C>(
    request: TransactRequest<C>,
    hash: string,
    decidedOn: number,
  ): Promise<TransactAnswer<State> | 'again' | null> => {
    const receipt = await store.findCommand(request.tenantId, request.commandId);
    if (receipt !== null) return fromReceipt(request, hash, receipt);
    const refreshed = await cache.refresh(request.stream);
    return refreshed.revision === decidedOn ? null : 'again';
  };

  const durable = async <C>(request: TransactRequest<C>, hash: string, answer: WithoutEvents<State>): Round<State> => {
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
    const result = await store.recordAnswer(receipt, revision < 0 ? 'none' : revision);
    switch (result.outcome) {
      case 'recorded':
        return given(answer);
      case 'known':
        return fromReceipt(request, hash, result.receipt);
      case 'stale':
        await cache.refresh(stream);
        return 'again';
    }
  };

  const given = ({ folded, rejection }: WithoutEvents<State>): TransactAnswer<State> => {
    const version = folded.revision + 1;
    if (rejection !== null) return { outcome: 'rejected', rejection, version, replayed: false };
    return {
      outcome: 'accepted',
      version,
      events: [],
      state: folded.revision < 0 ? initial : folded.state,
      replayed: false,
    };
  };

  return {
    fromReceipt,
    withoutEvents: async <C>(request: TransactRequest<C>, hash: string, answer: WithoutEvents<State>): Round<State> => {
      const lasts = answer.rejection === null || errorRow(answer.rejection.code).durable === true;
      if (lasts && request.answers === 'durable') return durable(request, hash, answer);
      return (await current(request, hash, answer.folded.revision)) ?? given(answer);
    },
    mismatch: async <C>(request: TransactRequest<C>, hash: string, decidedOn: number): Round<State> =>
      (await current(request, hash, decidedOn)) ?? { outcome: 'version-mismatch', version: decidedOn + 1 },
  };
}
