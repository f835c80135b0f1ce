import { OperationalFailure } from '../failures.ts';

export type FirstAnswersOptions<Entry> = {
  /** Folds an entry into the gateway's state; called once for each, the earlier ones first. */
  readonly apply: (entry: Entry) => void;
  /** Entries of an earlier life, oldest first. */
  readonly entries?: Iterable<Entry> | undefined;
  /** Makes an entry durable; nobody is told the answer before it resolves. */
  readonly record?: ((entry: Entry) => Promise<void>) | undefined;
};

export type FirstAnswers<Entry> = {
  /** The entry under a key, once it is recorded. */
  readonly find: (key: string) => Promise<Entry | undefined>;
  readonly once: (request: OnceRequest<Entry>) => Promise<Entry>;
};

/** `isSame` tells whether the entry under this key came from the same request; `decide` makes the first entry. */
type OnceRequest<Entry> = {
  readonly key: string;
  readonly isSame: (entry: Entry) => boolean;
  readonly decide: () => Entry;
};

/**
 * What makes a gateway idempotent: the first entry under a key is the answer for ever. It is applied at once, so that
 * a twin finds it, and told to both when it is recorded. An entry that could not be recorded is never told.
 * @throws OperationalFailure DEPENDENCY_REFUSED (not retryable) for a key of another request
 */
export function openFirstAnswers<Entry extends { readonly key: string }>(
  options: FirstAnswersOptions<Entry>,
): FirstAnswers<Entry> {
  const entries = new Map<string, Entry>();
  const recording = new Map<string, Promise<void>>();
  const add = (entry: Entry) => {
    entries.set(entry.key, entry);
    options.apply(entry);
  };
  for (const entry of options.entries ?? []) add(entry);

  return {
    find: async (key) => {
      await recording.get(key);
      return entries.get(key);
    },
    once: async ({ key, isSame, decide }) => {
      const known = entries.get(key);
      if (known) {
        if (!isSame(known)) throw keyReused(key);
        await recording.get(key);
        return known;
      }
      const entry = decide();
      add(entry);
      const recorded = options.record?.(entry) ?? Promise.resolve();
      recording.set(key, recorded);
      await recorded;
      recording.delete(key);
      return entry;
    },
  };
}

function keyReused(key: string): OperationalFailure {
  return new OperationalFailure('DEPENDENCY_REFUSED', `the key ${key} belongs to another request`, {
    retryable: false,
  });
}
