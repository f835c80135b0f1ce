import { isOperationalFailure } from '../../../infra/failures.ts';
import { traceIdFrom } from '../../../infra/http-server/trace-id.ts';
import type { RecordWork, Turn } from '../../../infra/kafka/keyed-window.ts';
import type { IncomingRecord, KafkaProducer, OutgoingRecord } from '../../../infra/kafka/port.ts';
import type { ReadCommand } from '../../../schemas/wire/command-record.ts';
import { decodeCommandRecord } from '../../../schemas/wire/command-record.ts';
import { headerText } from '../../../schemas/wire/record.ts';
import { encodeOutcomeRecord } from '../../../schemas/wire/outcome-record.ts';
import type { Unreadable } from '../../../schemas/wire/unreadable.ts';
import { refused, type Attempted } from './answer-command.ts';
import { deadLetterOf, tooManyHeaders, withoutValue } from './dead-letter.ts';
import { insist, type Insistence } from './insist.ts';
import type { IntakeLimits } from './limits.ts';
import type { Observe } from './observe.ts';
import type { CommandSchemas } from './schemas.ts';

export type Settling = Insistence & {
  readonly producer: Pick<KafkaProducer, 'send'>;
  readonly schemas: CommandSchemas;
  readonly answer: (read: ReadCommand, correlationId: string) => Promise<Attempted>;
  readonly limits: IntakeLimits;
  readonly names: { readonly outcomes: string };
  readonly observe: Observe;
};

type Answered = Extract<Attempted, { readonly outcome: object }>;

/**
 * One record to its end: its outcome, or its dead letter, is acknowledged by every replica. Whatever of the world does not
 * help is waited out, for a record is never lost; a turn that is lost ends it, for another member has the record then.
 */
export function recordSettler(settling: Settling): RecordWork {
  const { observe, producer, schemas } = settling;
  return async (record, turn) => {
    const read = await insist(settling, turn, () => readRecord(record, schemas));
    if (read === null) return;
    if (read.kind === 'unreadable') return bury(settling, turn, { record, why: read });
    const traceId = traceIdFrom(headerText(record, 'traceparent') ?? undefined);
    const answered = await untilAnswered(settling, turn, { traceId, read });
    if (answered === null) return;
    // Decided: the order's next command may be, while this one's outcome is on its way, ahead of the next one's.
    turn.release();
    const { outcome } = answered;
    const tell = async (): Promise<true> => {
      const written = encodeOutcomeRecord(outcome, read.tenantId, await schemas.writing());
      return sent(producer, { ...written, topic: settling.names.outcomes });
    };
    if ((await insist(settling, turn, tell)) === null) return;
    const seconds = (performance.now() - turn.takenAtMs) / 1_000;
    const isNew = answered.kind === 'answered' && answered.isNew;
    observe({
      what: 'outcome',
      code: outcome.code ?? outcome.outcome,
      type: read.message.type,
      isNew,
      seconds,
      traceId,
    });
  };
}

async function readRecord(record: IncomingRecord, schemas: CommandSchemas): Promise<ReadCommand | Unreadable> {
  const tooMany = tooManyHeaders(record);
  if (tooMany !== null) return tooMany;
  return decodeCommandRecord(record, await schemas.reading(record.value));
}

async function sent(producer: Settling['producer'], record: OutgoingRecord): Promise<true> {
  await producer.send([record]);
  return true;
}

type Burial = { readonly record: IncomingRecord; readonly why: Unreadable };

async function bury(settling: Settling, turn: Turn, { record, why }: Burial): Promise<void> {
  const letter = deadLetterOf(record, why);
  const buried = await insist(settling, turn, async () => {
    try {
      return await sent(settling.producer, letter);
    } catch (error) {
      if (!isOperationalFailure(error, 'EVENT_TOO_LARGE')) throw error;
      return sent(settling.producer, withoutValue(letter));
    }
  });
  const { topic, partition, offset } = record;
  if (buried !== null) settling.observe({ what: 'dead-letter', reason: why.code, topic, partition, offset });
}

type Asking = { readonly traceId: string; readonly read: ReadCommand };

/** null: the turn was lost. */
async function untilAnswered(settling: Settling, turn: Turn, { traceId, read }: Asking): Promise<Answered | null> {
  const { limits, answer } = settling;
  for (let waits = 0; ; waits += 1) {
    const attempted = await insist(settling, turn, () => withoutBugs(settling, read, () => answer(read, traceId)));
    if (attempted === null || attempted.kind === 'answered') return attempted;
    const waitMs = Math.min(limits.retryFirstMs * 2 ** Math.min(waits, 20), limits.retryMaxMs);
    if (attempted.kind === 'in-progress') {
      await turn.rest(waitMs);
      continue;
    }
    const leftMs = limits.orderWaitMs - (performance.now() - turn.takenAtMs);
    if (turn.isLost()) return null;
    if (leftMs <= 0 || turn.isHurried()) return attempted;
    await turn.linger(Math.min(waitMs, leftMs));
  }
}

/** A bug that one command meets is its own: it is told so, and nobody waits for it. */
async function withoutBugs(
  { limits, observe }: Settling,
  read: ReadCommand,
  attempt: () => Promise<Attempted>,
): Promise<Attempted> {
  for (let bugs = 1; ; bugs += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (isOperationalFailure(error)) throw error;
      observe({ what: 'bug', orderId: read.orderId, error });
      if (bugs >= limits.bugsMax) return refused(read, 'INTERNAL');
    }
  }
}
