import { createHash } from 'node:crypto';
import { isOperationalFailure } from '../../infra/failures.ts';

/** Why an event cannot be folded, without a word that a customer may have typed. */
export type Fault = {
  /** Twelve hex digits: the same error at the same place. */
  readonly fingerprint: string;
  /** The error's type and the lines of our code that it came through. */
  readonly error: string;
};

/**
 * Whether trying again gives the same: a bug of the projection, or a document that no view can hold. An outage never
 * is, however long it lasts.
 */
export function isPoison(error: unknown): boolean {
  return !isOperationalFailure(error) || error.code === 'POISON_VALUE';
}

/** Fault of an error that `isPoison`. Messages are left out: V8's quote values ("… in operator … in <text>"). */
export function faultOf(error: unknown): Fault {
  const origin = isOperationalFailure(error) && error.cause !== undefined ? error.cause : error;
  const frames = origin instanceof Error ? framesOf(origin) : [];
  const at = frames.length === 0 ? '' : ` at ${frames.join(' < ')}`;
  return faultNamed(`${nameOf(error)}${at}`);
}

/** A fault that our own words describe. */
export function faultNamed(error: string): Fault {
  return { fingerprint: createHash('sha256').update(error).digest('hex').slice(0, 12), error };
}

const framesMax = 3;
const root = new URL('../../', import.meta.url).pathname;

/** Files and lines of the projection, innermost first, up to where the projector called it. */
function framesOf({ stack = '' }: Error): readonly string[] {
  const ours = stack
    .split('\n')
    .flatMap(ourPlace)
    .filter((place) => !place.startsWith('infra/'));
  const caller = ours.findIndex((place) => place.startsWith('services/projector/'));
  return (caller > 0 ? ours.slice(0, caller) : ours).slice(0, framesMax);
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
