import type { Environment } from '../../infra/config/config.ts';
import { runProcess } from '../../infra/process/run-process.ts';
import { openSystem } from './system.ts';

export const allInOne = { name: 'all-in-one', open: openSystem };

/**
 * Runs the whole system until SIGINT or SIGTERM, then drains it.
 * @throws OperationalFailure INVALID_CONFIGURATION, DATA_DIR_IN_USE, DATA_DIR_UNUSABLE, POSTGRES_START_FAILED,
 *   STORE_UNAVAILABLE, UNSAFE_DURABILITY, PORT_UNUSABLE; what ended a consumer
 */
export function start(env: Environment): Promise<void> {
  return runProcess(allInOne, env);
}
