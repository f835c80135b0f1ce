import type { Placement } from '../append/placements.ts';

/** An event store that appends one placement as the first event of its stream, and answers when it is durable. */
export type Peer = {
  append(placement: Placement): Promise<void>;
  close(): Promise<void>;
};

/** Opens a peer on an empty database, with its schema made. */
export type OpenPeer = (url: string) => Promise<Peer>;

/** Connections that each peer may use: more did not make any of them faster on two cores. */
export const peerConnectionsMax = 16;
