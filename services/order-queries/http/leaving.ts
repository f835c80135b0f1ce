import type { HttpReply } from '../../../infra/http-server/app.ts';

/** Aborted once the reader went away: nobody waits for an answer then. */
export function leaving(reply: HttpReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => gone.abort());
  return gone.signal;
}
