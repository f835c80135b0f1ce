import { describe, expect, it } from 'vitest';
import type { EventId } from '../../schemas/ids.ts';
import type { SubjectKeys } from './port.ts';
import { seal, unseal } from './seal.ts';

type Opened = { readonly keys: SubjectKeys; readonly close: () => Promise<void> };

const eventId = '01a207d7-bdef-76b0-ad40-68387926a337' as EventId;
const value = { shippingAddress: { name: 'Ada', line1: '1 Main Street' }, email: 'ada@example.org' };

/** What every adapter of SubjectKeys promises. */
export function subjectKeysContract(name: string, open: () => Promise<Opened>): void {
  describe(`subject keys: ${name}`, () => {
    const within = async (body: (keys: SubjectKeys) => Promise<void>): Promise<void> => {
      const { keys, close } = await open();
      try {
        await body(keys);
      } finally {
        await close();
      }
    };

    it('seals with one key for one subject and another for another', () =>
      within((keys) => {
        expect(keys.current('default~ada').keyId).toBe(keys.current('default~ada').keyId);
        expect(keys.current('default~ada').keyId).not.toBe(keys.current('default~bob').keyId);
        return Promise.resolve();
      }));

    it('finds a key only once it is durable', () =>
      within(async (keys) => {
        const key = keys.current('default~ada');
        expect((await keys.find([key.keyId])).size).toBe(0);
        await keys.persist(key);
        await keys.persist(key);
        expect((await keys.find([key.keyId])).get(key.keyId)?.key.equals(key.key)).toBe(true);
      }));

    it('persists many keys in one tick', () =>
      within(async (keys) => {
        const many = Array.from({ length: 300 }, (_, index) => keys.current(`default~${index}`));
        await Promise.all(many.map((key) => keys.persist(key)));
        expect((await keys.find(many.map(({ keyId }) => keyId))).size).toBe(300);
      }));

    it('opens what was sealed, and never again after the subject was forgotten', () =>
      within(async (keys) => {
        const key = keys.current('default~ada');
        await keys.persist(key);
        const sealed = seal(key, eventId, value);
        expect(unseal((await keys.find([sealed.keyId])).get(sealed.keyId), eventId, sealed)).toEqual(value);
        expect(await keys.forget('default~ada')).toBe(1);
        expect(unseal((await keys.find([sealed.keyId])).get(sealed.keyId), eventId, sealed)).toBeNull();
        expect(keys.current('default~ada').keyId).not.toBe(key.keyId);
      }));

    it('refuses a box that was moved to another event or changed', () =>
      within((keys) => {
        const key = keys.current('default~ada');
        const sealed = seal(key, eventId, value);
        const other = '01a207d7-bdef-76b0-ad40-000000000000' as EventId;
        expect(() => unseal(key, other, sealed)).toThrow();
        const bytes = Buffer.from(sealed.box, 'base64');
        bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
        expect(() => unseal(key, eventId, { ...sealed, box: bytes.toString('base64') })).toThrow();
        expect(Buffer.from(sealed.box, 'base64').toString('latin1')).not.toContain('Ada');
        return Promise.resolve();
      }));
  });
}
