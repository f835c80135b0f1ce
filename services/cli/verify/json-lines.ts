import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createInterface } from 'node:readline';

import { asRecord } from '../api.ts';
import { CommandFailure } from '../failure.ts';

export type JsonLine = {
  readonly number: number;
  /** Where it ends in the file, in bytes. */
  readonly end: number;
  readonly value: Readonly<Record<string, unknown>>;
};

/**
 * The lines of a file as it was when we began; a last line without its end is still being written, and left out.
 * @throws CommandFailure where the file or a line cannot be read
 */
export async function* readJsonLines(path: string): AsyncGenerator<JsonLine> {
  const size = await sizeOf(path);
  if (size === 0) return;
  let number = 0;
  let end = 0;
  for await (const line of createInterface({ input: createReadStream(path, { end: size - 1 }) })) {
    number += 1;
    end += Buffer.byteLength(line) + 1;
    if (end > size && !line.endsWith('}')) return;
    yield { number, end, value: parsed(path, number, line) };
  }
}

/** In bytes. @throws CommandFailure where there is no such file */
export async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    throw new CommandFailure(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  });
  if (!found.isFile()) throw new CommandFailure(`${path} is no file`);
  return found.size;
}

function parsed(path: string, number: number, line: string): JsonLine['value'] {
  try {
    return asRecord(JSON.parse(line));
  } catch {
    throw new CommandFailure(`${path}: line ${number} is not JSON`);
  }
}

/** A text member. @throws CommandFailure where it is another thing */
export function textOf({ number, value }: JsonLine, name: string): string {
  const member = value[name];
  if (typeof member === 'string') return member;
  throw new CommandFailure(`line ${number}: ${name} must be a text`);
}

/** A member that is a whole number. @throws CommandFailure where it is another thing */
export function integerOf({ number, value }: JsonLine, name: string): number {
  const member = value[name];
  if (typeof member === 'number' && Number.isSafeInteger(member)) return member;
  throw new CommandFailure(`line ${number}: ${name} must be a whole number`);
}
