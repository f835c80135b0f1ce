import type { WindowLimits } from '../../../infra/kafka/keyed-window.ts';

export type IntakeLimits = WindowLimits & {
  /** Records of one batch. */
  readonly batchMax: number;
  /** How long a command waits for its order to come by another door; then it is told that there is none. */
  readonly orderWaitMs: number;
  readonly retryFirstMs: number;
  readonly retryMaxMs: number;
  /** A command that meets a bug of ours is tried so often, then answered INTERNAL, as on HTTP. */
  readonly bugsMax: number;
  /** Between two beginnings of a consumption that fails. */
  readonly restartMaxMs: number;
  /** How long the end waits for commands that are being answered. */
  readonly drainMs: number;
};

export const defaultLimits: IntakeLimits = {
  // Some batches of the lanes (500 events each): more at once would only wait in their queues.
  pendingMax: 2_000,
  // Decoded, a value takes a few times its bytes.
  bytesMax: 16 * 1_024 * 1_024,
  spanMax: 20_000,
  batchMax: 500,
  orderWaitMs: 5_000,
  retryFirstMs: 100,
  retryMaxMs: 2_000,
  bugsMax: 3,
  restartMaxMs: 3_000,
  drainMs: 5_000,
};
