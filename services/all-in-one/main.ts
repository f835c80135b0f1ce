import { start } from './start.ts';

try {
  await start(process.env);
  process.exit(0);
} catch (error) {
  process.stderr.write(`order-center: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
