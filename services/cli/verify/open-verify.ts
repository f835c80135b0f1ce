import { join } from 'node:path';

import type { Config, Environment } from '../../../infra/config/config.ts';
import { readConfig } from '../../../infra/config/config.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import { findRunning } from '../../../infra/local/data-dir.ts';
import { startEmbeddedPostgres } from '../../../infra/local/embedded-postgres.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import { asRecord, openApi, problemOf } from '../api.ts';
import { CommandFailure } from '../failure.ts';
import { sizeOf } from './json-lines.ts';
import type { VerifyInput } from './invariant.ts';

export type VerifyFiles = { readonly ledgerFile: string | null; readonly readsFile: string | null };
export type OpenedVerify = { readonly input: VerifyInput; readonly close: () => Promise<void> };

export type OpenVerifyOptions = VerifyFiles & {
  readonly env: Environment;
  readonly stuckAfterMs: number;
  readonly signal: AbortSignal;
};

/**
 * Opens the stores: by their URLs if set, else of the system that runs on DATA_DIR, else an embedded Postgres for the
 * time of this run. Nothing is written to them.
 */
export async function openVerify(options: OpenVerifyOptions): Promise<OpenedVerify> {
  const { env, signal, ledgerFile, readsFile, stuckAfterMs } = options;
  const config = readConfig(env);
  // Before a database is started for it: whoever mistyped a name learns it at once.
  for (const file of [ledgerFile, readsFile]) if (file !== null) await sizeOf(file);
  const { closers, close } = openClosers();
  try {
    const { url, httpUrl } = await findStore(config, closers);
    const store = await openEventStore(url);
    closers.push(() => store.close());
    const views = openReadStore(config.readDbUrl ?? url);
    closers.push(() => views.close());
    const files = { ledgerFile, readsFile, paymentsFile: paymentsFileOf(config) };
    const readVersion = httpUrl === null ? null : versionReader(httpUrl, signal);
    const limits = { nowMs: readVersion === null ? null : Date.now(), stuckAfterMs, patienceMs: 10_000 };
    return { input: { store, views, readVersion, ...files, ...limits, signal }, close };
  } catch (error) {
    await close();
    throw error;
  }
}

type Close = () => Promise<void>;

/** What was opened last is closed first. */
function openClosers(): { readonly closers: Close[]; readonly close: Close } {
  const closers: Close[] = [];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  return { closers, close };
}

type FoundStore = { readonly url: string; readonly httpUrl: string | null };

async function findStore({ eventStoreUrl, dataDir }: Config, closers: Close[]): Promise<FoundStore> {
  const running = await findRunning(dataDir);
  const httpUrl = running?.urls.http ?? null;
  if (eventStoreUrl === 'memory:') throw new CommandFailure('EVENT_STORE_URL is memory: no other process can read it');
  if (eventStoreUrl !== 'embedded:') return { url: eventStoreUrl, httpUrl };
  if (running !== null) return { url: running.postgresUrl, httpUrl };
  const postgres = await startEmbeddedPostgres({ dataDir });
  closers.push(() => postgres.stop());
  return { url: postgres.url, httpUrl };
}

function paymentsFileOf({ paymentUrl, dataDir }: Config): string | null {
  return paymentUrl === null ? join(dataDir, 'simulators', 'payments.jsonl') : null;
}

function versionReader(url: string, signal: AbortSignal): VerifyInput['readVersion'] {
  return async (tenantId, orderId) => {
    const answer = await openApi({ url, tenantId, signal }).call({ path: `/v1/orders/${orderId}` });
    if (answer.status === 404) return null;
    const { version } = asRecord(answer.body);
    if (answer.status !== 200 || typeof version !== 'number') throw new CommandFailure(`${url} ${problemOf(answer)}`);
    return version;
  };
}
