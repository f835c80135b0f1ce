import { claimDataDir } from './data-dir.ts';
import { startEmbeddedPostgres } from './embedded-postgres.ts';

/** What the process answers: what it got, or why it got nothing. */
export type Answer =
  | { readonly outcome: 'done'; readonly url: string; readonly pid: number }
  | { readonly outcome: 'refused'; readonly failure: string };

// Another process for the tests beside it: it says when it is ready, does as it is told, and stays until it is killed.
const [, , dataDir = ''] = process.argv;
const answer = (message: Answer | 'ready'): void => void process.send?.(message);
process.once('message', (order: 'claim' | 'start') => {
  const acting = order === 'claim' ? claimDataDir(dataDir) : startEmbeddedPostgres({ dataDir });
  acting.then(
    (got) => answer({ outcome: 'done', url: 'url' in got ? got.url : '', pid: 'pid' in got ? got.pid : 0 }),
    (error: unknown) => answer({ outcome: 'refused', failure: String(error) }),
  );
});
// Neither Postgres nor a heard message keeps a process alive.
setInterval(() => null, 60_000);
answer('ready');
