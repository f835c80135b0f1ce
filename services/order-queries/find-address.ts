import type { EventStore } from '../../infra/event-store/port.ts';
import type { SubjectKeys } from '../../infra/subject-keys/port.ts';
import { unseal } from '../../infra/subject-keys/seal.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { OrderId, TenantId } from '../../schemas/ids.ts';
import type { Address, Sealed } from '../../schemas/personal-data.ts';
import { readOrderEvents } from './fold-order.ts';

export type AddressSources = {
  readonly store: Pick<EventStore, 'readStream'>;
  readonly subjectKeys: Pick<SubjectKeys, 'find'>;
};

export type AddressRequest = {
  readonly tenantId: TenantId;
  readonly orderId: OrderId;
  /** The address that was valid then: an answer shows one moment of the order. */
  readonly version: number;
};

/**
 * Opens the order's shipping address: of the last event that holds one. null: it has none, or its subject was
 * forgotten, and with the keys everything that was sealed. Nobody keeps the answer.
 * @throws OperationalFailure STORE_UNAVAILABLE of the store or of the keys
 */
export async function findAddress(
  { store, subjectKeys }: AddressSources,
  request: AddressRequest,
): Promise<Address | null> {
  const { tenantId, orderId, version } = request;
  const events = await readOrderEvents(store, { tenantId, orderId, fromRevision: 0, untilRevision: version - 1 });
  const boxes = events.flatMap((event) => {
    const sealed = sealedIn(event);
    return sealed === null ? [] : [{ event, sealed }];
  });
  if (boxes.length === 0) return null;
  const keys = await subjectKeys.find([...new Set(boxes.map(({ sealed }) => sealed.keyId))]);
  for (const { event, sealed } of boxes.reverse()) {
    const opened = unseal(keys.get(sealed.keyId), event.eventId, sealed);
    // An older address than one that nobody can open any more would be wrong.
    if (opened === null) return null;
    if (opened.shippingAddress !== undefined) return opened.shippingAddress;
  }
  return null;
}

function sealedIn({ data }: RecordedEvent): Sealed | null {
  return 'sealed' in data ? data.sealed : null;
}
