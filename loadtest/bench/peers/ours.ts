import { openEventStore } from '../../../infra/event-store/open.ts';
import { appendOf } from '../append/placements.ts';
import type { OpenPeer } from './peer.ts';

/** The product's own store, through its port, with its defaults. */
export const openOurs: OpenPeer = async (url) => {
  const store = await openEventStore(url);
  return {
    append: async (placement) => {
      const { outcome } = await store.append(appendOf(placement));
      if (outcome !== 'appended') throw new Error(`a placement was ${outcome}`);
    },
    close: () => store.close(),
  };
};
