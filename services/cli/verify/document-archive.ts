import { deflateRawSync, inflateRawSync } from 'node:zlib';

import type { Document } from '../../../infra/read-store/port.ts';
import { openSpillFile, type SpillFile } from './spill-file.ts';

/**
 * Any number of documents in little memory: the last used as they are, the others compressed in a file that nobody else
 * sees and that ends with the process. A key costs some 150 bytes, however large its document is.
 */
export type DocumentArchive = {
  readonly get: (key: string) => Document | null;
  /** null removes it. */
  readonly set: (key: string, document: Document | null) => void;
  readonly has: (key: string) => boolean;
  readonly size: () => number;
  readonly keys: () => Iterable<string>;
  readonly close: () => void;
};

/** An order lives for seconds, so few are ever changed at once. */
const hotMax = 2_000;

export function openDocumentArchive(): DocumentArchive {
  // A number: where the document is in the file.
  const documents = new Map<string, Document | number>();
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
    documents.set(coldest, file.write(deflateRawSync(JSON.stringify(document), { level: 1 })));
  };
  return {
    get: (key) => {
      const found = documents.get(key) ?? null;
      if (typeof found !== 'number' || file === null) return found as Document | null;
      return JSON.parse(inflateRawSync(file.read(found)).toString('utf8')) as Document;
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
