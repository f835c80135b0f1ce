import { setTimeout as sleep } from 'node:timers/promises';
import { isOperationalFailure } from '../../../infra/failures.ts';
import type { RecordedEvent } from '../../../schemas/envelope.ts';
import { frameOf, heartbeatFrame, inChunks, retryFrame } from './frames.ts';
import type { Following, Hub } from './hub.ts';
import type { LiveLimits } from './limits.ts';
import type { ReadPage, Source } from './source.ts';

export type LiveStream = {
  readonly hub: Hub;
  readonly source: Source;
  /** Joined before `first` was read. */
  readonly following: Following;
  readonly first: ReadPage;
  readonly limits: LiveLimits;
  /** Ends the stream after what is on its way. */
  readonly ending: AbortSignal;
};

/** Between two reads of a store that does not show yet what the hub had heard from it. */
const behindHubMs = 20;

/**
 * The text of one stream: what the store has, then what the hub hands out, without gap or duplicate. The hub is
 * joined before the store is read, and the store is read until it covers where the hub was then; so each event
 * comes from one of them, and one that comes from both is taken once. A client that is too slow for the hub loses its
 * inbox, not an event: it reads the store again from where it stands.
 */
export async function* liveStream(stream: LiveStream): AsyncGenerator<Buffer, void, undefined> {
  const { hub, source, limits, ending } = stream;
  let { following, first } = { following: stream.following, first: stream.first as ReadPage | null };
  yield retryFrame(limits.retryMs);
  try {
    while (!ending.aborted) {
      yield* fromStore(stream, { from: following.from, first });
      yield* fromHub(stream, following);
      following.leave();
      if (following.inbox.state() !== 'overflowed') return;
      following = await hub.follow(source);
      first = null;
    }
  } catch (error) {
    // The store does not help: the client comes back by its last id, and is told by a status.
    if (!isOperationalFailure(error)) throw error;
  } finally {
    following.leave();
  }
}

type CatchUp = { readonly from: Following['from']; readonly first: ReadPage | null };

async function* fromStore({ source, ending }: LiveStream, { from, first }: CatchUp): AsyncGenerator<Buffer> {
  let page = first ?? (await source.read());
  for (;;) {
    yield* inChunks(framesOf(page.events));
    if (page.reaches(from) || ending.aborted) return;
    if (page.atEnd) await sleep(behindHubMs, undefined, { ref: false });
    page = await source.read();
  }
}

function* framesOf(events: readonly RecordedEvent[]): Generator<Buffer> {
  for (const event of events) yield frameOf(event);
}

/** Until the inbox ends or overflows. */
async function* fromHub({ source, limits, ending }: LiveStream, { inbox }: Following): AsyncGenerator<Buffer> {
  while (!ending.aborted && inbox.state() === 'open') {
    const taken = inbox.take();
    if (taken.length > 0) {
      yield* inChunks(taken.filter(({ event }) => source.take(event)).map((live) => live.frame()));
      continue;
    }
    await inbox.wait(limits.heartbeatMs, ending);
    if (inbox.isEmpty() && inbox.state() === 'open') yield heartbeatFrame;
  }
}
