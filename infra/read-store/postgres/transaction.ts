import type pg from 'pg';
import { isOperationalFailure, OperationalFailure } from '../../failures.ts';
import { messageOf, troubleOf } from '../../postgres/connection.ts';
import { poisonValue } from '../poison-value.ts';

/** Thrown inside a transaction to roll it back and give its caller an answer. */
export class Rollback<Answer> extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('rolled back');
    this.answer = answer;
  }
}

/**
 * Runs work in one transaction. Whatever fails, the client is not reused unless its rollback was answered: a
 * connection of unknown state would carry one batch into the next.
 */
export async function withTransaction<Answer>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<Answer>,
): Promise<Answer> {
  return translated(async () => {
    const client = await pool.connect();
    try {
      await client.query('begin');
      const answer = await work(client);
      await client.query('commit');
      client.release();
      return answer;
    } catch (error) {
      client.release(await rollBack(client));
      if (error instanceof Rollback) return error.answer as Answer;
      throw error;
    }
  });
}

/** One autocommit statement; with a name, its plan is kept by each connection. */
export async function query<R extends pg.QueryResultRow>(
  pool: pg.Pool,
  asked: string | Statement,
  values: readonly unknown[] = [],
): Promise<R[]> {
  const statement = typeof asked === 'string' ? { text: asked, values } : asked;
  return translated(async () => (await pool.query<R>({ ...statement, values: [...statement.values] })).rows);
}

type Statement = { readonly name?: string; readonly text: string; readonly values: readonly unknown[] };

/** Nothing: the client is clean again. */
async function rollBack(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('rollback');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** No such table, no such schema: somebody emptied the database; the next start makes them again. */
const gone = new Set(['42P01', '3F000', '3D000']);

async function translated<Answer>(work: () => Promise<Answer>): Promise<Answer> {
  try {
    return await work();
  } catch (error) {
    const trouble = isOperationalFailure(error) ? 'other' : troubleOf(error);
    const code = (error as { readonly code?: unknown } | null)?.code;
    const worldly = trouble === 'again' || trouble === 'lost' || (typeof code === 'string' && gone.has(code));
    // The message of such an error quotes the value.
    if (trouble === 'poison') throw poisonValue(`SQLSTATE ${String(code)}`, error);
    if (!worldly) throw error;
    throw new OperationalFailure('VIEWS_UNAVAILABLE', messageOf(error), { retryable: true, cause: error });
  }
}
