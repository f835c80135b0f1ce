import type { CommandReceipt, NewEvent } from '../port.ts';
import { OperationalFailure } from '../../failures.ts';
import { holdsUnstorableText } from '../../unstorable-text.ts';

/** JSON of one event's data, in bytes of UTF-8. */
const eventBytesMax = 256 * 1024;

/** An event that the log can take: its data is a copy, so that no caller can change history. */
export type AdmittedEvent = Omit<NewEvent, 'occurredAt'> & { readonly occurredAt: string | null | undefined };

/** @throws OperationalFailure EVENT_TOO_LARGE, POISON_VALUE */
export function admitEvent(event: NewEvent): AdmittedEvent {
  const json = JSON.stringify(event.data);
  if (Buffer.byteLength(json) > eventBytesMax) {
    throw new OperationalFailure('EVENT_TOO_LARGE', `${event.type} is over ${eventBytesMax} bytes`, {
      retryable: false,
    });
  }
  if (holdsUnstorableText(json)) throw poison(event.type);
  return { ...event, occurredAt: inUtc(event), data: frozenCopy(json) };
}

/** @throws OperationalFailure POISON_VALUE where one of the texts holds NUL or an unpaired surrogate */
export function admitTexts(texts: readonly (string | null | undefined)[]): void {
  for (const text of texts)
    if (text?.includes('\u0000') === true || text?.isWellFormed() === false) throw poison('a key');
}

export function textsOfReceipt(receipt: CommandReceipt): readonly (string | undefined)[] {
  const { tenantId, commandId, commandHash, stream, rejection } = receipt;
  return [tenantId, commandId, commandHash, stream, rejection?.detail];
}

function inUtc({ type, occurredAt }: NewEvent): string | null | undefined {
  if (occurredAt === null || occurredAt === undefined) return occurredAt;
  const time = Date.parse(occurredAt);
  if (Number.isNaN(time)) throw poison(`${type}.occurredAt`);
  return new Date(time).toISOString();
}

/** Frozen, because every reader of this process gets the same object. */
function frozenCopy(json: string): object {
  return JSON.parse(json, (_key, value: unknown) => Object.freeze(value)) as object;
}

function poison(where: string): OperationalFailure {
  return new OperationalFailure('POISON_VALUE', `${where} holds a value that no store can keep`, { retryable: false });
}
