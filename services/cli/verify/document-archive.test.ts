import { expect, it } from 'vitest';

import { openDocumentArchive } from './document-archive.ts';

it('gives back large documents and small ones, from memory and from its file', () => {
  const archive = openDocumentArchive();
  const large = { text: Array.from({ length: 3_000 }, (_, n) => n * 7919).join(' ') };
  archive.set('large', large);
  for (let n = 0; n < 10_000; n += 1) archive.set(`k${n}`, { n });
  expect(archive.get('large')).toEqual(large);
  for (let n = 0; n < 10_000; n += 1) expect(archive.get(`k${n}`)).toEqual({ n });
  expect([archive.size(), archive.has('k9999'), archive.has('k10000')]).toEqual([10_001, true, false]);
  archive.close();
  expect(archive.size()).toBe(0);
});

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
