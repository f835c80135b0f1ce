import { randomUUID } from 'node:crypto';

import {
  newEventId,
  orderStream,
  type CommandId,
  type OrderId,
  type StreamName,
  type TenantId,
} from '../../../schemas/ids.ts';
import type { Append, Appended, CommandReceipt, EventStore, LogQuery, NewEvent, RecordedEvent } from '../port.ts';

export const shop = 'shop' as TenantId;
export const otherShop = 'other-shop' as TenantId;

export function newOrderStream(): StreamName {
  return orderStream(randomUUID() as OrderId);
}

export function newCommandId(): CommandId {
  return randomUUID() as CommandId;
}

/** As a payload hash looks: 32 bytes in hex. */
export function hashOf(letter: string): string {
  return letter.repeat(64);
}

export function exampleEvent(overrides: Partial<NewEvent> = {}): NewEvent {
  const data = { orderId: randomUUID(), reason: 'changed my mind' };
  return { eventId: newEventId(), type: 'OrderCancelled', schemaVersion: 1, occurredAt: undefined, data, ...overrides };
}

/** One event on a new stream by a new command, but for what the test cares about. */
export function exampleAppend(overrides: Partial<Append> = {}): Append {
  return {
    stream: newOrderStream(),
    tenantId: shop,
    expected: 'none',
    commandId: newCommandId(),
    commandHash: hashOf('a'),
    origin: 'live',
    correlationId: 'trace-1',
    causationId: null,
    events: [exampleEvent()],
    ...overrides,
  };
}

export function exampleAnswer(overrides: Partial<CommandReceipt> = {}): CommandReceipt {
  return {
    tenantId: shop,
    commandId: newCommandId(),
    commandHash: hashOf('a'),
    stream: newOrderStream(),
    version: 0,
    rejection: { code: 'ORDER_CANCELLED', detail: 'it was cancelled before' },
    ...overrides,
  };
}

export function eventsOf(count: number): readonly NewEvent[] {
  return Array.from({ length: count }, () => exampleEvent());
}

/** Appends what must succeed for the test to make sense. */
export async function appended(store: EventStore, overrides: Partial<Append> = {}): Promise<Appended> {
  const result = await store.append(exampleAppend(overrides));
  if (result.outcome !== 'appended') throw new Error(`the example was not appended: ${result.outcome}`);
  return result;
}

export function idsOf(events: readonly { readonly eventId: string }[]): readonly string[] {
  return events.map(({ eventId }) => eventId);
}

const readDeadlineMs = 10_000;

/** Follows the log until so many events have come, as a consumer does; gives up after 10 s. */
export async function readUntil(
  store: EventStore,
  count: number,
  query: Partial<LogQuery> = {},
): Promise<readonly RecordedEvent[]> {
  const deadline = Date.now() + readDeadlineMs;
  const events: RecordedEvent[] = [];
  let after = query.after ?? null;
  while (events.length < count && Date.now() < deadline) {
    const page = await store.readLog({ limit: 500, ...query, after });
    events.push(...page.events);
    after = page.checkpoint;
  }
  return events;
}
