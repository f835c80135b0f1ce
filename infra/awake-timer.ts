export type AwakeTimer = {
  /** Milliseconds that this process was there to hear an answer. */
  readonly timeoutMs: number;
  /** Of the wall: however little this process runs, the wait ends. */
  readonly atMostMs: number;
  readonly expire: () => void;
};

/** Each is counted as its own length, however late it comes: so a stall of any length costs one slice at most. */
const slices = 8;

/**
 * A timeout that tells "they did not answer" from "we did not listen". A timer alone cannot: on a starved process it
 * comes late, and counts the time in which nobody here ran as time in which nobody there answered; and a machine that
 * starves us mostly starves them, too (measured: at a load of 20 on 2 cores a healthy Redis was taken for down). The last
 * slice ends after the sockets were read once more: what came during a stall is heard before it is given up.
 * @returns cancels it
 */
export function startAwakeTimer({ timeoutMs, atMostMs, expire }: AwakeTimer): () => void {
  const endsAt = performance.now() + atMostMs;
  let left = slices;
  let timer: NodeJS.Timeout | undefined;
  let last: NodeJS.Immediate | undefined;
  const tick = (): void => {
    left -= 1;
    if (left > 0 && performance.now() < endsAt) timer = setTimeout(tick, timeoutMs / slices);
    else last = setImmediate(expire);
  };
  timer = setTimeout(tick, timeoutMs / slices);
  return () => {
    clearTimeout(timer);
    clearImmediate(last);
  };
}
