import { deflateRawSync, inflateRawSync } from 'node:zlib';

import type { Document } from '../../../infra/read-store/port.ts';

/** Many documents in little memory: the last used as they are, the others compressed. */
export type DocumentArchive = {
  readonly get: (key: string) => Document | null;
  /** null removes it. */
  readonly set: (key: string, document: Document | null) => void;
  readonly keys: () => Iterable<string>;
};

/** An order lives for seconds, so few are ever changed at once; a compressed summary takes about 600 bytes. */
const hotMax = 5_000;

export function openDocumentArchive(): DocumentArchive {
  const documents = new Map<string, Document | string>();
  // In the order of their last use.
  const hot = new Set<string>();
  const touch = (key: string, document: Document): void => {
    documents.set(key, document);
    hot.delete(key);
    hot.add(key);
    const [coldest] = hot;
    if (hot.size <= hotMax || coldest === undefined) return;
    hot.delete(coldest);
    const cooled = documents.get(coldest);
    if (cooled !== undefined && typeof cooled !== 'string') documents.set(coldest, freeze(cooled));
  };
  return {
    get: (key) => {
      const found = documents.get(key);
      if (found === undefined) return null;
      return typeof found === 'string' ? thaw(found) : found;
    },
    set: (key, document) => {
      if (document !== null) {
        touch(key, document);
        return;
      }
      documents.delete(key);
      hot.delete(key);
    },
    keys: () => documents.keys(),
  };
}

/** A text of one byte a character: the buffers that zlib hands out keep 20 KiB alive each (measured). */
function freeze(document: Document): string {
  return deflateRawSync(JSON.stringify(document), { level: 1 }).toString('latin1');
}

function thaw(text: string): Document {
  return JSON.parse(inflateRawSync(Buffer.from(text, 'latin1')).toString('utf8')) as Document;
}
