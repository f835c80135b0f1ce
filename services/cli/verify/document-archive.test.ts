import { expect, it } from 'vitest';

import { openDocumentArchive } from './document-archive.ts';

it('gives back every document as it was last set, also long after', () => {
  const archive = openDocumentArchive();
  for (let n = 0; n < 6_000; n += 1) archive.set(`k${n}`, { n, name: 'São Paulo 🛒' });
  archive.set('k0', { n: -1 });
  archive.set('k1', null);
  expect(archive.get('k0')).toEqual({ n: -1 });
  expect(archive.get('k1')).toBeNull();
  expect(archive.get('k2')).toEqual({ n: 2, name: 'São Paulo 🛒' });
  expect([...archive.keys()]).toHaveLength(5_999);
});
