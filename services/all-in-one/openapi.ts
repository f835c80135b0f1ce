import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { errorPage } from './error-page.ts';
import { openMemoryDoor } from './memory-door.ts';

/** Writes docs/openapi.json from the routes of all services, and docs/errors.md from the table of codes; with --check it only compares. Needs no database. */
const { server } = await openMemoryDoor();
const openApi = JSON.stringify(server.openApi());
await server.close();

await publish('openapi.json', openApi, 'json');
await publish('errors.md', errorPage(), 'markdown');

async function publish(name: string, text: string, parser: 'json' | 'markdown'): Promise<void> {
  const file = new URL(`../../docs/${name}`, import.meta.url);
  const written = await format(text, { ...(await resolveConfig(file)), parser });
  if (!process.argv.includes('--check')) {
    await writeFile(file, written);
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
    console.error(`docs/${name} is not what the code says: run npm run generate`);
    process.exitCode = 1;
  }
}
