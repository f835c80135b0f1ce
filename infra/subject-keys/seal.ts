import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { PersonalData, Sealed } from '../../schemas/personal-data.ts';
import type { EventId } from '../../schemas/ids.ts';
import type { SubjectKey } from './port.ts';

/** AES-256-GCM (NIST SP 800-38D): a fresh 96-bit iv for each box, 128-bit tag, AAD = the event's id. */
const cipherName = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

export function seal(key: SubjectKey, eventId: EventId, value: PersonalData['value']): Sealed {
  const iv = randomBytes(ivBytes);
  const cipher = createCipheriv(cipherName, key.key, iv).setAAD(Buffer.from(eventId));
  const closed = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return { keyId: key.keyId, box: Buffer.concat([iv, cipher.getAuthTag(), closed]).toString('base64') };
}

/** null where the key is gone: the subject was forgotten. @throws Error where the box was tampered with or is another event's */
export function unseal(key: SubjectKey | undefined, eventId: EventId, sealed: Sealed): PersonalData['value'] | null {
  if (key === undefined) return null;
  const bytes = Buffer.from(sealed.box, 'base64');
  const decipher = createDecipheriv(cipherName, key.key, bytes.subarray(0, ivBytes)).setAAD(Buffer.from(eventId));
  decipher.setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
  const opened = Buffer.concat([decipher.update(bytes.subarray(ivBytes + tagBytes)), decipher.final()]);
  return JSON.parse(opened.toString('utf8')) as PersonalData['value'];
}
