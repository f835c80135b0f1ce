import { adviceOf, isOperationalFailure } from '../../infra/failures.ts';
import { start } from './start.ts';

try {
  await start(process.env);
  process.exit(0);
} catch (error) {
  const line = isOperationalFailure(error) ? adviceOf(error) : error instanceof Error ? error.stack : String(error);
  process.stderr.write(`order-center: ${line ?? 'an unknown error'}\n`);
  process.exit(1);
}
