export type WatchdogOptions = {
  /** Without a sign of life for so many of this process's own ticks, it barks once. */
  readonly silentTicksMax: number;
  /** 1,000 if absent. */
  readonly tickMs?: number;
  /** Work in hand is somebody else's to watch. */
  readonly isBusy: () => boolean;
  readonly bark: () => void;
};

export type Watchdog = {
  readonly noteLife: () => void;
  readonly stop: () => void;
};

/**
 * A driver that neither works nor fails is noticed by its silence alone. Ticks are counted, not time: a process that was
 * stopped for a while does not wake up guilty.
 */
export function openWatchdog({ silentTicksMax, tickMs = 1_000, isBusy, bark }: WatchdogOptions): Watchdog {
  let silentTicks = 0;
  const timer = setInterval(() => {
    silentTicks = isBusy() ? 0 : silentTicks + 1;
    if (silentTicks < silentTicksMax) return;
    clearInterval(timer);
    bark();
  }, tickMs);
  timer.unref();
  return {
    noteLife: () => {
      silentTicks = 0;
    },
    stop: () => {
      clearInterval(timer);
    },
  };
}
