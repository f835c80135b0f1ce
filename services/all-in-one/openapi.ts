import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { openMemoryDoor } from './memory-door.ts';

const file = new URL('../../docs/openapi.json', import.meta.url);

/** Writes docs/openapi.json from the routes of all services; with --check it only compares. Needs no database. */
const { server } = await openMemoryDoor();
const json = JSON.stringify(server.openApi());
await server.close();

const written = await format(json, { ...(await resolveConfig(file)), parser: 'json' });
if (!process.argv.includes('--check')) {
  await writeFile(file, written);
} else if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
  console.error('docs/openapi.json is not what the routes say: run npm run generate');
  process.exitCode = 1;
}
