import { hash } from 'node:crypto';

import type { Document } from '../../../infra/read-store/port.ts';
import { canonicalJson } from '../../../schemas/canonical-json.ts';
import { growingNumbers } from './growing-numbers.ts';
import { openSpillFile, type SpillFile } from './spill-file.ts';

/** 48 bits of a SHA-1 over the canonical JSON: two documents that differ share one with a chance of 4e-15. */
export type Digest = number;

/**
 * Any number of documents in little memory: the last used as they are, the others in a file that nobody else sees and
 * that ends with the process. A key costs some 150 bytes, however large its document is. To compare, a digest is enough.
 */
export type DocumentArchive = {
  readonly get: (key: string) => Document | null;
  /** null removes it. */
  readonly set: (key: string, document: Document | null) => void;
  /** null: there is no such document. */
  readonly digest: (key: string) => Digest | null;
  readonly has: (key: string) => boolean;
  readonly size: () => number;
  readonly keys: () => Iterable<string>;
  readonly close: () => void;
};

/** An order lives for seconds, so few are ever changed at once. */
const hotMax = 2_000;

export function openDocumentArchive(): DocumentArchive {
  // A number: the index of its place and its digest below.
  const documents = new Map<string, Document | number>();
  const places = growingNumbers();
  const digests = growingNumbers();
  // In the order of their last use.
  const hot = new Set<string>();
  let file: SpillFile | null = null;

  const coolOne = (): void => {
    const [coldest] = hot;
    if (hot.size <= hotMax || coldest === undefined) return;
    hot.delete(coldest);
    const document = documents.get(coldest);
    if (document === undefined || typeof document === 'number') return;
    file ??= openSpillFile();
    const text = canonicalJson(document);
    digests.add(digestOfText(text));
    documents.set(coldest, places.add(file.write(text)));
  };
  return {
    get: (key) => {
      const found = documents.get(key) ?? null;
      if (typeof found !== 'number' || file === null) return found as Document | null;
      return JSON.parse(file.read(places.at(found))) as Document;
    },
    set: (key, document) => {
      hot.delete(key);
      if (document === null) {
        documents.delete(key);
        return;
      }
      documents.set(key, document);
      hot.add(key);
      coolOne();
    },
    digest: (key) => {
      const found = documents.get(key);
      if (found === undefined) return null;
      return typeof found === 'number' ? digests.at(found) : digestOf(found);
    },
    has: (key) => documents.has(key),
    size: () => documents.size,
    keys: () => documents.keys(),
    close: () => {
      file?.close();
      file = null;
      documents.clear();
      hot.clear();
    },
  };
}

export function digestOf(document: Document): Digest {
  return digestOfText(canonicalJson(document));
}

function digestOfText(text: string): Digest {
  return hash('sha1', text, 'buffer').readUIntBE(0, 6);
}
