import { setTimeout as wait } from 'node:timers/promises';

import { launchRole } from '../system/role-process.ts';
import type { LaunchOptions, RoleName, RoleProcess } from '../system/role-process.ts';
import { until } from '../system/until.ts';

/** A role whose process is started again a second after it died, as an operator's supervisor would. */
export type SupervisedRole = {
  readonly role: RoleName;
  /** The process that runs now; null while there is none. */
  readonly current: () => RoleProcess | null;
  readonly kill: () => Promise<void>;
  readonly pause: () => void;
  readonly resume: () => void;
  /** Resolves when a process of it runs and is ready. @throws Error when none does within 60 s */
  readonly isBack: () => Promise<void>;
  /** A sentence for each process that ended though nobody struck it, or that did not end well. */
  readonly problems: readonly string[];
  /** SIGTERM, as a deployment would. */
  readonly drain: () => Promise<void>;
  /** kill -9, for good. */
  readonly abandon: () => Promise<void>;
};

const restartAfterMs = 1_000;
const backWithinMs = 60_000;
/** A role that dies more often by itself has a bug that another start does not mend. */
const startsMax = 200;

export async function superviseRole(role: RoleName, options: LaunchOptions): Promise<SupervisedRole> {
  const problems: string[] = [];
  let current: RoleProcess | null = await launchRole(role, options);
  let isStruck = false;
  let isEnding = false;
  const watch = async (): Promise<void> => {
    for (let start = 1; current !== null && start < startsMax; start += 1) {
      const code = await current.ended;
      current = null;
      if (isEnding) return;
      if (!isStruck) problems.push(`${role} ended by itself with ${code}`);
      isStruck = false;
      await wait(restartAfterMs);
      if (ending()) return;
      const launched = await launchRole(role, options);
      if (ending()) await launched.kill();
      else current = launched;
    }
  };
  const ending = (): boolean => isEnding;
  const watched = watch().catch((error: unknown) => void problems.push(`${role} does not start: ${String(error)}`));
  return {
    role,
    problems,
    current: () => current,
    kill: async () => {
      isStruck = true;
      await current?.kill();
      await until(() => current === null, { withinMs: 1_000 });
    },
    pause: () => current?.pause(),
    resume: () => current?.resume(),
    isBack: async () => {
      if (await until(() => current !== null, { withinMs: backWithinMs, everyMs: 10 })) return;
      throw new Error(`${role} is not back after ${backWithinMs / 1_000} s`);
    },
    drain: async () => {
      isEnding = true;
      current?.resume();
      const code = await current?.terminate();
      if (code !== 0 && code !== undefined) problems.push(`SIGTERM ended ${role} with ${code}`);
      await watched;
    },
    abandon: async () => {
      isEnding = true;
      await current?.kill();
      await watched;
    },
  };
}
