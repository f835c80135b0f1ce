import { newPlacements, type Placement } from '../append/placements.ts';
import { serve } from '../child-process.ts';
import { spreadOf } from '../pairs.ts';
import type { Peer } from './peer.ts';
import { peers, type PeerName } from './peers.ts';

export type PeerRequest =
  | { readonly kind: 'open'; readonly peer: PeerName; readonly url: string }
  | { readonly kind: 'leg'; readonly outstanding: number; readonly seconds: number };
export type PeerAnswer = { readonly appended: number; readonly seconds: number; readonly p99Ms: number };

let peer: Peer | undefined;

/** A closed loop: so many callers, each with one append outstanding, until the time is over; then all are answered. */
async function runLeg(opened: Peer, { outstanding, seconds }: { outstanding: number; seconds: number }) {
  const latencies: number[] = [];
  const startedAt = performance.now();
  const until = startedAt + seconds * 1_000;
  const nextOf = placementsInPages();
  const caller = async (): Promise<void> => {
    while (performance.now() < until) {
      const sentAt = performance.now();
      await opened.append(nextOf());
      latencies.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: outstanding }, caller));
  const tookSeconds = (performance.now() - startedAt) / 1_000;
  return { appended: latencies.length, seconds: tookSeconds, p99Ms: percentile(latencies, 0.99) };
}

/** Made some at a time: nobody knows how many a leg will take, and the making costs all peers alike. */
function placementsInPages(): () => Placement {
  let page: readonly Placement[] = [];
  let next = 0;
  return () => {
    if (next >= page.length) {
      page = newPlacements(500);
      next = 0;
    }
    const placement = page[next++];
    if (placement === undefined) throw new Error('an empty page of placements');
    return placement;
  };
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? spreadOf(values).max;
}

serve(
  async (request: PeerRequest): Promise<PeerAnswer> => {
    if (request.kind === 'open') {
      peer = await peers[request.peer](request.url);
      return { appended: 0, seconds: 0, p99Ms: 0 };
    }
    if (peer === undefined) throw new Error('open first');
    return runLeg(peer, request);
  },
  async () => peer?.close(),
);
