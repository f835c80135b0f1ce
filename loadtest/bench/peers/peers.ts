import { openEmmett } from './emmett.ts';
import { openEvtstore } from './evtstore.ts';
import { openMessageDb } from './message-db.ts';
import { openOurs } from './ours.ts';
import type { OpenPeer } from './peer.ts';

/** By the name under which results tell of them. */
export const peers = {
  'order-center': openOurs,
  emmett: openEmmett,
  evtstore: openEvtstore,
  'message-db': openMessageDb,
} as const satisfies Readonly<Record<string, OpenPeer>>;

export type PeerName = keyof typeof peers;
