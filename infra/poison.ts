import { createHash } from 'node:crypto';
import { isOperationalFailure } from './failures.ts';

/** Why an event cannot be understood, without a word that a customer may have typed. */
export type Fault = {
  /** Twelve hex digits: the same error at the same place. */
  readonly fingerprint: string;
  /** The error's type and the lines of our code that it came through. */
  readonly error: string;
};

/**
 * Whether trying again gives the same: a bug of ours, or a value that no store can hold. An outage never is, however
 * long it lasts.
 */
export function isPoison(error: unknown): boolean {
  return !isOperationalFailure(error) || error.code === 'POISON_VALUE';
}

/**
 * Fault of an error that `isPoison`. Messages are left out: V8's quote values ("… in operator … in <text>").
 * @param caller the folder of who called what failed: its own lines come after those that tell
 */
export function faultOf(error: unknown, caller: string): Fault {
  const origin = isOperationalFailure(error) && error.cause !== undefined ? error.cause : error;
  const places = origin instanceof Error ? placesOf(origin) : [];
  const calledAt = places.findIndex((place) => place.startsWith(caller));
  const ofCalled = calledAt === -1 ? places : places.slice(0, calledAt);
  // A bug of the caller itself has its own places; a value that the store refuses has none.
  const frames = (ofCalled.length > 0 || isOperationalFailure(error) ? ofCalled : places).slice(0, framesMax);
  const at = frames.length === 0 ? '' : ` at ${frames.join(' < ')}`;
  return faultNamed(`${nameOf(error)}${at}`);
}

/** A fault that our own words describe. */
export function faultNamed(error: string): Fault {
  return { fingerprint: createHash('sha256').update(error).digest('hex').slice(0, 12), error };
}

const framesMax = 3;
const root = new URL('../', import.meta.url).pathname;

/** Files and lines of this repository, innermost first. What depends on the world only passes errors on. */
function placesOf({ stack = '' }: Error): readonly string[] {
  return stack
    .split('\n')
    .flatMap(ourPlace)
    .filter((place) => !place.startsWith('infra/'));
}

function ourPlace(line: string): readonly string[] {
  const [, path, row] = /^\s+at .*?(\/[^()]+?):(\d+):\d+\)?$/.exec(line.replace('file://', '')) ?? [];
  if (path === undefined || row === undefined || !path.startsWith(root) || path.includes('/node_modules/')) return [];
  return [`${path.slice(root.length)}:${row}`];
}

function nameOf(error: unknown): string {
  // Its words are ours.
  if (isOperationalFailure(error)) return error.message;
  if (!(error instanceof Error)) return 'a thrown value';
  return /^[A-Za-z]\w{0,59}$/.test(error.name) ? error.name : 'Error';
}
