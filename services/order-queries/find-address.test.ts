import { describe, expect, it } from 'vitest';
import { openMemorySubjectKeys } from '../../infra/subject-keys/memory/memory-subject-keys.ts';
import { seal } from '../../infra/subject-keys/seal.ts';
import { anOrderId, otherTenant, placement, recorded, tenant } from '../../projections/examples.ts';
import type { RecordedEvent } from '../../schemas/envelope.ts';
import type { PersonalData } from '../../schemas/personal-data.ts';
import { findAddress } from './find-address.ts';

const orderId = anOrderId('order');
const berlin = { city: 'Berlin' };
const lisbon = { city: 'Lisbon' };

type Given = { readonly value: PersonalData['value']; readonly subject: string };

/** A stream whose events hold these boxes, each of its subject; null: an event without a box. */
async function open(given: readonly (Given | null)[]) {
  const subjectKeys = openMemorySubjectKeys();
  const events: RecordedEvent[] = [];
  for (const [index, event] of recorded(given.map(() => placement(orderId))).entries()) {
    const box = given[index];
    const key = subjectKeys.current(box?.subject ?? 'nobody');
    await subjectKeys.persist(key);
    const sealed = box === null || box === undefined ? null : seal(key, event.eventId, box.value);
    events.push({ ...event, data: { ...event.data, sealed } } as RecordedEvent);
  }
  const store = { readStream: ({ fromRevision = 0, limit = 10_000 }) => Promise.resolve(events.slice(fromRevision, fromRevision + limit)) }; // prettier-ignore
  const find = (version: number, tenantId = tenant) =>
    findAddress({ store, subjectKeys }, { tenantId, orderId, version });
  return { find, subjectKeys };
}

const of = (value: PersonalData['value'], subject = 'shop~ada'): Given => ({ value, subject });

describe('the address of an order', () => {
  it('is the last one up to the version, past events without one', async () => {
    const { find } = await open([of({ shippingAddress: berlin }), null, of({ shippingAddress: lisbon }), of({ email: 'a@b' })]); // prettier-ignore
    expect([await find(1), await find(2), await find(3), await find(4)]).toEqual([berlin, berlin, lisbon, lisbon]);
  });

  it('is none where no box holds one, or nobody has a box', async () => {
    expect(await (await open([of({ email: 'a@b' })])).find(1)).toBeNull();
    expect(await (await open([null])).find(1)).toBeNull();
  });

  it('is none, rather than an older one, where the last box cannot be opened any more', async () => {
    const { find, subjectKeys } = await open([of({ shippingAddress: berlin }, 'shop~eve'), of({ shippingAddress: lisbon })]); // prettier-ignore
    await subjectKeys.forget('shop~ada');
    expect([await find(2), await find(1)]).toEqual([null, berlin]);
  });

  it('is no other tenant’s', async () => {
    expect(await (await open([of({ shippingAddress: berlin })])).find(1, otherTenant)).toBeNull();
  });
});
