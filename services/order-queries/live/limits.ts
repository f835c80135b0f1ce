export type LiveLimits = {
  /** Streams of one process; the next is told to come back. */
  readonly clientsMax: number;
  /** Frames that wait for one client. A client that has more to come reads the store again, at its own pace. */
  readonly queuedMaxBytes: number;
  /** A client that takes nothing for so long, while something waits for it, is cut off. */
  readonly stalledMaxMs: number;
  /** A comment is sent when nothing else was for so long: balancers and our own server close silent connections. */
  readonly heartbeatMs: number;
  /** After a cut, a browser comes back after so long. */
  readonly retryMs: number;
  /** Clients that do not take the end of their stream are cut off after so long, so that draining is quick. */
  readonly endGraceMs: number;
};

export const liveLimits: LiveLimits = {
  clientsMax: 1_000,
  queuedMaxBytes: 256 * 1024,
  stalledMaxMs: 30_000,
  heartbeatMs: 15_000,
  retryMs: 1_000,
  endGraceMs: 500,
};
