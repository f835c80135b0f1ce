import { join } from 'node:path';

import { kafkaBrokerMissing, startKafkaBroker } from '../../infra/local/kafka-broker.ts';
import type { OwnServer } from '../../infra/local/own-server.ts';
import { findRedisServer, startRedisServer } from '../../infra/local/redis-server.ts';
import { OperationalFailure } from '../../infra/failures.ts';
import { supervise, type Supervised } from './supervise.ts';

export type StartServer = { readonly dataDir: string; readonly say: (line: string) => void };

/** A server that is started again when it dies, at the same address. */
export type SupervisedServer = { readonly url: string; readonly server: Supervised };

/** @throws OperationalFailure SERVER_MISSING where there is no Java for it, or no Maven to fetch it; Error when it does not start */
export async function startKafka({ dataDir, say }: StartServer): Promise<SupervisedServer> {
  const missing = await kafkaBrokerMissing();
  if (missing !== null) throw new OperationalFailure('SERVER_MISSING', missing, { retryable: false });
  const broker = await startKafkaBroker({ folder: join(dataDir, 'kafka'), say });
  return { url: `kafka://${broker.brokers}`, server: supervised('kafka', broker, say) };
}

/** @returns null where the machine has none: each process then caches for itself */
export async function startRedis({ dataDir, say }: StartServer): Promise<SupervisedServer | null> {
  if ((await findRedisServer()) === null) {
    say('no redis-server on PATH: each process caches snapshots for itself (install redis-server, or set CACHE_URL)');
    return null;
  }
  const redis = await startRedisServer({ folder: join(dataDir, 'redis') });
  return { url: redis.url, server: supervised('redis', redis, say) };
}

function supervised(name: string, server: OwnServer, say: (line: string) => void): Supervised {
  const runs = () => ({ pid: server.pid(), exited: server.exited() });
  const again = async () => {
    await server.startAgain();
    return runs();
  };
  return supervise(runs(), { name, again, end: () => server.stop(), say });
}
