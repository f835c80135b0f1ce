import type { KeyObject } from 'node:crypto';

/** A subject's AES-256 key, prepared once (measured: a box with a raw key takes 53 µs, with a key object 12). */
export type SubjectKey = { readonly keyId: string; readonly subject: string; readonly key: KeyObject };

/**
 * Keys of personal data, in a schema and role of their own. A subject may have several; forgetting deletes all.
 * Throws OperationalFailure STORE_UNAVAILABLE (retryable).
 */
export type SubjectKeys = {
  /** The key to seal with: known, or new and not yet durable (see `persist`). No round trip. */
  current(subject: string): SubjectKey;
  /** Resolves when the key is durable; many calls share one statement. Awaited before the append that uses it. */
  persist(key: SubjectKey): Promise<void>;
  /** The keys that still exist, by key id. */
  find(keyIds: readonly string[]): Promise<ReadonlyMap<string, SubjectKey>>;
  /** Deletes every key of the subject: what was sealed with them is gone for ever. Returns how many. */
  forget(subject: string): Promise<number>;
  close(): Promise<void>;
};
