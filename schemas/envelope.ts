import type { FulfillmentEvent, OrderEvent, StockEvent } from './generated/events.ts';
import type { CommandId, EventId, Revision, StreamName, TenantId } from './ids.ts';
import type { DecidedEvent } from './decision.ts';

declare const positionBrand: unique symbol;
/** A place in the store's global order: opaque to all but the store's adapter; the feed's checkpoint is one. */
export type Position = string & { readonly [positionBrand]: true };

/** `backfill` is imported history: it starts no saga, no timer, no live metric. */
export type Origin = 'live' | 'backfill';

export type AnyEvent = OrderEvent | StockEvent | FulfillmentEvent;

/** An event as the store holds it and as `/v1/events` shows it (contract.md). Times are ISO 8601 in UTC. */
export type Recorded<E extends DecidedEvent = AnyEvent> = E extends DecidedEvent
  ? {
      readonly position: Position;
      readonly eventId: EventId;
      readonly stream: StreamName;
      readonly revision: Revision;
      readonly type: E['type'];
      readonly schemaVersion: number;
      readonly tenantId: TenantId;
      /** The store's clock. */
      readonly recordedAt: string;
      /** When it happened; null where nobody knows. */
      readonly occurredAt: string | null;
      readonly origin: Origin;
      readonly commandId: CommandId;
      readonly correlationId: string;
      /** The event that caused the command; null where a door did. */
      readonly causationId: EventId | null;
      readonly data: E['data'];
    }
  : never;

export type RecordedEvent = Recorded;
