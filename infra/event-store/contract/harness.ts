import type { EventStore } from '../port.ts';

/** A store of its own for one test. */
export type StoreUnderTest = {
  readonly store: EventStore;
  /** The same store as another process sees it. */
  readonly second: () => Promise<EventStore>;
  readonly close: () => Promise<void>;
};

export type OpenStore = () => Promise<StoreUnderTest>;

/** Runs the body on a fresh store, and closes it whatever happens. */
export function onFreshStore(
  open: OpenStore,
  body: (store: EventStore, second: () => Promise<EventStore>) => Promise<void>,
): () => Promise<void> {
  return async () => {
    const fresh = await open();
    try {
      await body(fresh.store, fresh.second);
    } finally {
      await fresh.close();
    }
  };
}
