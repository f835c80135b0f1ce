import { readFile } from 'node:fs/promises';

import { main } from '../../infra/process/run-process.ts';
import { apiDescription } from '../../schemas/api-description.ts';
import { wireOrigin } from './wire.ts';

/** Where the document of all routes is; `npm run check` compares it with the code. */
const documentUrl = new URL('../../docs/openapi.json', import.meta.url);

/** One HTTP origin in front of the roles that answer. It keeps nothing and may be started as often as one likes. */
await main({
  name: 'origin',
  open: async ({ config }) => ({
    api: { ...apiDescription, document: JSON.parse(await readFile(documentUrl, 'utf8')) as object },
    parts: [wireOrigin(config)],
    onReady: (url) => void process.stdout.write(`order-center: origin is ready at ${url}\n`),
  }),
});
