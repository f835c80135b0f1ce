import { Redis } from 'ioredis';
import { startAwakeTimer } from '../../awake-timer.ts';
import { OperationalFailure } from '../../failures.ts';
import { snapshotsUnavailable } from '../unavailable.ts';

export type RedisConnection = {
  /** Asks Redis. @throws OperationalFailure SNAPSHOTS_UNAVAILABLE within the timeout; at once while it is down */
  call<Answer>(ask: (redis: Redis) => Promise<Answer>): Promise<Answer>;
  isUp(): boolean;
  /** Aborted when the connection that is open now is cut; aborted already where none is. */
  untilCut(): AbortSignal;
  close(): Promise<void>;
};

export type ConnectionOptions = {
  /** Seen in CLIENT LIST. */
  readonly name: string;
  /** How long one command may take, not counting the time in which this process did not run. */
  readonly timeoutMs: number;
};

const connectTimeoutMs = 1_000;
/** No byte for so long while a command waits: the connection is dead, whatever TCP says. */
const silenceMaxMs = 1_000;
/** ioredis never settles a command that was cut in flight, but for this; it also bounds the handshake. */
const backstopMs = 2_000;
/** However starved this process is: before the backstop, which cannot say why. */
const answerMaxMs = 1_800;
const reconnectFirstMs = 50;
const reconnectMaxMs = 500;
/** How often a connection that let a command wait too long is asked whether it answers again. */
const probeEveryMs = 100;
/** What is kept of Redis's own words in an error. */
const reasonMax = 120;

/**
 * One connection that is never waited for: down, slow and silent servers are told at once, or after one timeout.
 * After a command that timed out, no other is sent until a PING is answered, so that not every reader waits in turn.
 */
export function openConnection(url: string, { name, timeoutMs }: ConnectionOptions): RedisConnection {
  const redis = new Redis({ ...addressOf(url), ...settings, connectionName: name });
  const health = watchHealth(redis, timeoutMs);
  return {
    call: async (ask) => {
      if (!health.answers()) throw snapshotsUnavailable('Redis is down');
      try {
        return await answeredWithin(timeoutMs, ask(redis));
      } catch (error) {
        if (error instanceof OperationalFailure) throw error;
        if (!isReply(error)) health.distrust();
        throw snapshotsUnavailable(reasonOf(error));
      }
    },
    isUp: () => health.answers(),
    untilCut: () => health.untilCut(),
    close: () => {
      health.stop();
      redis.disconnect();
      return Promise.resolve();
    },
  };
}

type Health = {
  answers(): boolean;
  untilCut(): AbortSignal;
  /** A command was not answered: ask by PING until one is. */
  distrust(): void;
  stop(): void;
};

function watchHealth(redis: Redis, timeoutMs: number): Health {
  let open: AbortController | null = null;
  let answers = false;
  let probe: NodeJS.Timeout | undefined;
  // Without a listener ioredis prints each failed attempt; whoever asks is told, and metrics show the state.
  redis.on('error', () => undefined);
  redis.on('ready', () => {
    open = new AbortController();
    answers = true;
  });
  redis.on('close', () => {
    open?.abort();
    open = null;
    answers = false;
  });
  const probeNow = async (): Promise<void> => {
    const asked = open;
    // Where the connection was cut, the next one starts afresh.
    if (asked === null || answers) return;
    try {
      await answeredWithin(timeoutMs, redis.ping());
      if (open === asked) answers = true;
    } catch {
      probeLater();
    }
  };
  const probeLater = (): void => {
    clearTimeout(probe);
    probe = setTimeout(() => void probeNow(), probeEveryMs).unref();
  };
  return {
    answers: () => answers,
    untilCut: () => open?.signal ?? AbortSignal.abort(),
    distrust: () => {
      if (answers) probeLater();
      answers = false;
    },
    stop: () => clearTimeout(probe),
  };
}

/** Each of these mends a trap; docs/snapshots.md lists them. */
const settings = {
  // What cannot be sent now fails now: ioredis' own queue has no bound.
  enableOfflineQueue: false,
  // A command that was cut in flight is not sent again behind our back; it ends by a timeout.
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  // Ends what nothing else ends: our own timeout comes before it.
  commandTimeout: backstopMs,
  connectTimeout: connectTimeoutMs,
  socketTimeout: silenceMaxMs,
  // A black hole does not answer our FIN either.
  disconnectTimeout: 200,
  // RESP3 needs HELLO, which not every server and proxy takes; nothing here needs RESP3.
  protocol: 2,
  retryStrategy: (attempt: number) => {
    const waitMs = Math.min(reconnectFirstMs * 2 ** (attempt - 1), reconnectMaxMs);
    return Math.round(waitMs * (0.5 + Math.random() / 2));
  },
  // A primary that was made a replica keeps its connections: only a new one finds the new primary.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} as const;

/**
 * Host, port, user, password and database only: ioredis would take any of its options from a query.
 * @throws OperationalFailure INVALID_CONFIGURATION
 */
function addressOf(text: string) {
  const { protocol, hostname, port, username, password, pathname, search } = new URL(text);
  const database = /^\/?(\d{0,4})$/.exec(pathname)?.[1];
  if (database === undefined || search !== '') {
    const detail = 'CACHE_URL must be redis://[user:password@]host[:port][/database]';
    throw new OperationalFailure('INVALID_CONFIGURATION', detail, { retryable: false });
  }
  const host = hostname.replace(/^\[|\]$/g, '');
  return {
    host,
    port: port === '' ? 6379 : Number(port),
    db: Number(database),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

async function answeredWithin<Answer>(timeoutMs: number, asked: Promise<Answer>): Promise<Answer> {
  const late = Promise.withResolvers<never>();
  const expire = (): void => late.reject(new Error(`no answer within ${timeoutMs} ms`));
  const cancel = startAwakeTimer({ timeoutMs, atMostMs: answerMaxMs, expire });
  try {
    return await Promise.race([asked, late.promise]);
  } finally {
    cancel();
  }
}

/** Redis answered, with an error: it is there. */
function isReply(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError';
}

/** Its words without what was sent: errors are logged, and arguments hold orders. */
function reasonOf(error: unknown): string {
  const [words = ''] = (error instanceof Error ? error.message : String(error)).split(', with args');
  return `Redis: ${words.slice(0, reasonMax)}`;
}
