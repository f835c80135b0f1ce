import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { unreadableCodes } from './unreadable.ts';

const page = readFileSync(new URL('../../docs/publishing-commands.md', import.meta.url), 'utf8');

it('every reason why a record cannot be read is explained to publishers, and no other', () => {
  const explained = [...page.matchAll(/^\| `([A-Z_]+)` /gm)].map(([, code]) => code);
  expect(explained).toEqual(Object.keys(unreadableCodes));
});
