import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import { topicList } from '../../infra/topics/topic-list.ts';
import { asyncApiDocument } from '../../schemas/asyncapi/document.ts';

/** Writes docs/asyncapi.json from the schemas and the list of topics; with --check it only compares. */
const file = new URL('../../docs/asyncapi.json', import.meta.url);
const text = JSON.stringify(asyncApiDocument(topicList));
const written = await format(text, { ...(await resolveConfig(file)), parser: 'json' });
if (!process.argv.includes('--check')) await writeFile(file, written);
else if ((await readFile(file, 'utf8').catch(() => '')) !== written) {
  console.error('docs/asyncapi.json is not what the schemas say: run npm run generate');
  process.exitCode = 1;
}
