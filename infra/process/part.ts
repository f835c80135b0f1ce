import type { Routes } from '../http-server/app.ts';
import type { LivenessCheck, ReadinessCheck } from '../http-server/health.ts';

/** What one role brings into the process that runs it, be it alone there or beside others. */
export type Part = {
  readonly routes: readonly Routes[];
  /** Checks of one name are one check: roles that share a store ask it once. */
  readonly readiness: readonly ReadinessCheck[];
  /** What of it only a restart would free. */
  readonly liveness?: readonly LivenessCheck[];
  /** Runs until the signal is aborted; rejects with what no restart within the process would help. */
  readonly run?: (signal: AbortSignal) => Promise<void>;
};
