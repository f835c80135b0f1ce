import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib';

import { growingNumbers } from './growing-numbers.ts';

/**
 * Lines that do not fit into memory, compressed in a file without a name: it is gone with the process, however that
 * ends. Synchronous, for a program that has nothing else to do meanwhile.
 */
export type SpillFile = {
  /** @param line without a line feed @returns where it is */
  readonly write: (line: string) => number;
  readonly read: (at: number) => string;
  readonly close: () => void;
};

/** Compressed together: a line alone costs more to set up than to compress, and lines are much alike. */
const chunkBytes = 64 * 1_024;
/** A place is `chunk * span + offset`, so a chunk may be as long as its last line, which the store bounds at some MiB. */
const span = 2 ** 28;
/** Chunks kept as they were: what is asked for again was often written at one time. */
const openChunksMax = 16;
const lineFeed = 0x0a;

/** @throws what the file system refuses, as a full disk */
export function openSpillFile(): SpillFile {
  const path = join(tmpdir(), `order-center-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  // Where each chunk begins; the last number is where the file ends.
  const starts = growingNumbers();
  starts.add(0);
  const openChunks = new Map<number, Buffer>();
  let gathered: Buffer[] = [];
  let gatheredBytes = 0;

  const flush = (): void => {
    const bytes = zstdCompressSync(Buffer.concat(gathered));
    const start = starts.at(starts.size() - 1);
    for (let done = 0; done < bytes.length;) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, start + done);
    }
    starts.add(start + bytes.length);
    gathered = [];
    gatheredBytes = 0;
  };
  const chunkAt = (chunk: number): Buffer => {
    if (chunk === starts.size() - 1) return Buffer.concat(gathered);
    const known = openChunks.get(chunk);
    if (known !== undefined) return known;
    const start = starts.at(chunk);
    const bytes = Buffer.allocUnsafe(starts.at(chunk + 1) - start);
    fill(descriptor, bytes, start);
    const lines = zstdDecompressSync(bytes);
    openChunks.set(chunk, lines);
    const [oldest] = openChunks.keys();
    if (openChunks.size > openChunksMax && oldest !== undefined) openChunks.delete(oldest);
    return lines;
  };
  return {
    write: (line) => {
      const at = (starts.size() - 1) * span + gatheredBytes;
      const bytes = Buffer.from(`${line}\n`);
      gathered.push(bytes);
      gatheredBytes += bytes.length;
      if (gatheredBytes >= chunkBytes) flush();
      return at;
    },
    read: (at) => {
      const lines = chunkAt(Math.floor(at / span));
      const offset = at % span;
      return lines.toString('utf8', offset, lines.indexOf(lineFeed, offset));
    },
    close: () => closeSync(descriptor),
  };
}

function fill(descriptor: number, target: Buffer, at: number): void {
  for (let done = 0; done < target.length;) {
    const count = readSync(descriptor, target, done, target.length - done, at + done);
    if (count === 0) throw new Error('the spill file ends inside a chunk');
    done += count;
  }
}
