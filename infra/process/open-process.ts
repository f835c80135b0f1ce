import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { openHttpServer } from '../http-server/open.ts';
import type { ApiDescription } from '../http-server/openapi.ts';
import type { Metrics } from '../metrics/open.ts';
import type { Part } from './part.ts';

/** What every role is opened with. */
export type ProcessContext = {
  readonly config: Config;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** A role that is opened, or several of them. */
export type OpenedRole = {
  readonly api: ApiDescription;
  readonly parts: readonly Part[];
  /** Resolves with the reason when something ended that the process cannot go on without. */
  readonly lost?: Promise<string>;
  /** Told once its door listens. */
  readonly onReady: (url: string) => Promise<void> | void;
};

export type OpenRole = (context: ProcessContext, opening: AsyncDisposableStack) => Promise<OpenedRole>;

export type OpenProcess = {
  /** Rejects with what makes going on pointless: a bug of a loop, a foreign store, a database that stays dead. */
  readonly failed: Promise<never>;
  /** Drains: the door first, then the loops, then the stores. Repeatable. */
  close(): Promise<void>;
};

/** Opens a role, starts its loops and then its door. Closes all of it again where that fails. */
export async function openProcess(context: ProcessContext, open: OpenRole): Promise<OpenProcess> {
  await using opening = new AsyncDisposableStack();
  const { api, parts, lost, onReady } = await open(context, opening);
  const { config, log, metrics } = context;
  const server = await openHttpServer({
    host: config.host,
    port: config.port,
    log,
    metrics,
    api,
    routes: parts.flatMap(({ routes }) => routes),
    readiness: oncePerName(parts.flatMap(({ readiness }) => readiness)),
    liveness: parts.flatMap(({ liveness = [] }) => liveness),
  });
  const stopping = new AbortController();
  const loops = heard(runAll(parts, stopping.signal));
  opening.defer(async () => {
    stopping.abort();
    await Promise.allSettled([loops]);
  });
  opening.defer(() => server.close());
  await onReady(await server.listen());

  const running = opening.move();
  let closing: Promise<void> | undefined;
  return {
    failed: heard(failureOf({ loops, lost, isClosing: () => closing !== undefined })),
    close: () => (closing ??= running.disposeAsync()),
  };
}

/** Where no part has a loop, there is none that could end. */
async function runAll(parts: readonly Part[], signal: AbortSignal): Promise<void> {
  const loops = parts.flatMap(({ run }) => (run === undefined ? [] : [run(signal)]));
  if (loops.length === 0) await new Promise((resolve) => signal.addEventListener('abort', resolve));
  await Promise.all(loops);
}

function oncePerName<Check extends { readonly name: string }>(checks: readonly Check[]): readonly Check[] {
  return [...new Map(checks.map((check) => [check.name, check])).values()];
}

/** Node ends a process on a rejection that nobody listens to yet, and Postgres would run on without its owner. */
function heard<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

type Watched = {
  readonly loops: Promise<void>;
  readonly lost: Promise<string> | undefined;
  readonly isClosing: () => boolean;
};

async function failureOf({ loops, lost, isClosing }: Watched): Promise<never> {
  const ended = lost?.then((reason) => {
    if (!isClosing()) throw new Error(reason);
  });
  await Promise.race(ended === undefined ? [loops] : [loops, ended]);
  if (isClosing()) return new Promise(() => undefined);
  throw new Error('the loops of the process ended by themselves');
}
