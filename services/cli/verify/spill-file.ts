import { randomUUID } from 'node:crypto';
import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * What does not fit into memory, appended to a file without a name: it is gone with the process, however that ends.
 * Synchronous, for a program that has nothing else to do meanwhile.
 */
export type SpillFile = {
  /** @returns where it is */
  readonly write: (bytes: Buffer) => number;
  readonly read: (at: number) => Buffer;
  readonly close: () => void;
};

const lengthBytes = 4;
/** Most documents come with one read. */
const firstReadBytes = 4_096;
/** Gathered before they are written: a document alone is far less than a page of the disk. */
const gatherBytes = 1 << 20;

/** @throws what the file system refuses, as a full disk */
export function openSpillFile(): SpillFile {
  const path = join(tmpdir(), `order-center-${randomUUID()}`);
  const descriptor = openSync(path, 'wx+', 0o600);
  unlinkSync(path);
  let gathered: Buffer[] = [];
  let gatheredSize = 0;
  let written = 0;

  const flush = (): void => {
    const bytes = Buffer.concat(gathered);
    for (let done = 0; done < bytes.length;) {
      done += writeSync(descriptor, bytes, done, bytes.length - done, written + done);
    }
    written += bytes.length;
    gathered = [];
    gatheredSize = 0;
  };
  const fill = (target: Buffer, at: number): number => {
    let done = 0;
    while (done < target.length) {
      const count = readSync(descriptor, target, done, target.length - done, at + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  };
  return {
    write: (bytes) => {
      const at = written + gatheredSize;
      const length = Buffer.allocUnsafe(lengthBytes);
      length.writeUInt32LE(bytes.length);
      gathered.push(length, Buffer.from(bytes));
      gatheredSize += lengthBytes + bytes.length;
      if (gatheredSize >= gatherBytes) flush();
      return at;
    },
    read: (at) => {
      if (at >= written) flush();
      const first = Buffer.allocUnsafe(firstReadBytes);
      const known = fill(first, at);
      const length = first.readUInt32LE(0);
      if (lengthBytes + length <= known) return first.subarray(lengthBytes, lengthBytes + length);
      const whole = Buffer.allocUnsafe(length);
      if (fill(whole, at + lengthBytes) < length) throw new Error('the spill file ends inside a document');
      return whole;
    },
    close: () => closeSync(descriptor),
  };
}
