import { OperationalFailure } from '../../infra/failures.ts';
import { upstreamRoles, type UpstreamRole } from './routing.ts';

/** The processes behind the origin, by their role. */
export type Upstreams = {
  /** The next one in turn that was not unreachable a moment ago; where all were, the next one. */
  pick(role: UpstreamRole): string;
  /** It did not take a connection: others are picked for a moment. */
  noteUnreachable(url: string): void;
  of(role: UpstreamRole): readonly string[];
};

/** As long as a supervisor takes at least to start a process again. */
const avoidedMs = 1_000;

/**
 * @param words each `role=url`; a role may occur several times
 * @throws OperationalFailure INVALID_CONFIGURATION for what cannot be read, and for a role that is missing
 */
export function openUpstreams(words: readonly string[]): Upstreams {
  const urls = readUrls(words);
  const turns = new Map<UpstreamRole, number>();
  const avoidedUntil = new Map<string, number>();
  const isAvoided = (url: string): boolean => (avoidedUntil.get(url) ?? 0) > performance.now();
  const of = (role: UpstreamRole): readonly string[] => urls.get(role) ?? [];
  return {
    of,
    pick: (role) => {
      const all = of(role);
      const turn = (turns.get(role) ?? 0) % all.length;
      turns.set(role, turn + 1);
      const inTurn = [...all.slice(turn), ...all.slice(0, turn)];
      return inTurn.find((url) => !isAvoided(url)) ?? inTurn[0] ?? '';
    },
    noteUnreachable: (url) => void avoidedUntil.set(url, performance.now() + avoidedMs),
  };
}

function readUrls(words: readonly string[]): ReadonlyMap<UpstreamRole, readonly string[]> {
  const urls = new Map<UpstreamRole, readonly string[]>();
  const problems: string[] = [];
  for (const word of words) {
    const [name = '', url = ''] = splitOnce(word);
    const role = upstreamRoles.find((known) => known === name);
    if (role === undefined || !/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
      problems.push(`${JSON.stringify(name)} is not one of ${upstreamRoles.join(', ')} with =http://… after it`);
    } else urls.set(role, [...(urls.get(role) ?? []), new URL(url).origin]);
  }
  problems.push(...upstreamRoles.filter((role) => !urls.has(role)).map((role) => `${role} is missing`));
  if (problems.length === 0) return urls;
  throw new OperationalFailure('INVALID_CONFIGURATION', `UPSTREAMS: ${problems.join('; ')}`, { retryable: false });
}

function splitOnce(word: string): readonly string[] {
  const at = word.indexOf('=');
  return at === -1 ? [word] : [word.slice(0, at), word.slice(at + 1)];
}
