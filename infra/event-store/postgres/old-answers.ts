import type pg from 'pg';
import { ask } from '../../postgres/connection.ts';

/** Answers that belong to a stream live as long as it; others for 30 days. */
const forgetEveryMs = 3_600_000;
const biteMax = 5_000;
/** So that one round ends: what is left is for the next hour. */
const bitesMax = 200;

/**
 * Forgets, hourly and in small bites, answers to commands that touched no stream. A failure waits for the next hour:
 * an old answer harms nobody.
 * @returns the way to stop
 */
export function forgetOldAnswers(pool: pg.Pool): () => void {
  const round = async (): Promise<void> => {
    for (let bites = 0; bites < bitesMax; bites += 1) {
      if ((await forgetSome(pool)) < biteMax) return;
    }
  };
  const timer = setInterval(() => void round().catch(() => undefined), forgetEveryMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** @returns how many were forgotten */
export async function forgetSome(pool: pg.Pool): Promise<number> {
  const rows = await ask(pool, {
    name: 'forget-answers',
    text: `delete from order_center.answers where (tenant, command_id) in (
        select tenant, command_id from order_center.answers
        where version = 0 and answered_at < now() - interval '30 days' order by answered_at limit ${biteMax})
      returning true`,
  });
  return rows.length;
}
