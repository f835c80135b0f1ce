import { join } from 'node:path';

import type { Config, Environment } from '../../../infra/config/config.ts';
import { readConfig } from '../../../infra/config/config.ts';
import { openEventStore } from '../../../infra/event-store/open.ts';
import { openReadStore } from '../../../infra/read-store/open.ts';
import type { TenantId } from '../../../schemas/ids.ts';
import { asRecord, openApi, problemOf, type ApiAnswer } from '../api.ts';
import { findDatabases } from '../databases.ts';
import { CommandFailure } from '../failure.ts';
import { openSharedSnapshots } from '../snapshots-of.ts';
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
  await using opening = new AsyncDisposableStack();
  const { eventStoreUrl, readDbUrl, httpUrl } = await findDatabases(config, opening);
  const store = await openEventStore(eventStoreUrl);
  opening.defer(() => store.close());
  const views = openReadStore(readDbUrl);
  opening.defer(() => views.close());
  const snapshots = await openSharedSnapshots(config.cacheUrl, opening, { readTimeoutMs: snapshotsReadTimeoutMs });
  const files = { ledgerFile, readsFile, paymentsFile: paymentsFileOf(config) };
  const readVersion = httpUrl === null ? null : versionReader(httpUrl, signal);
  const readAtLeast = httpUrl === null ? null : leastReader(httpUrl, signal);
  const limits = { nowMs: readVersion === null ? null : Date.now(), stuckAfterMs, patienceMs: 10_000 };
  const opened = opening.move();
  const input = { store, views, snapshots, readVersion, readAtLeast, ...files, ...limits, signal };
  return { input, close: () => opened.disposeAsync() };
}

/** Patient: it reads all that is there, and nobody waits for the answer. */
const snapshotsReadTimeoutMs = 10_000;

function paymentsFileOf({ paymentUrl, dataDir }: Config): string | null {
  return paymentUrl === null ? join(dataDir, 'simulators', 'payments.jsonl') : null;
}

function versionReader(url: string, signal: AbortSignal): VerifyInput['readVersion'] {
  return async (tenantId, orderId) => versionOf(url, await read(url, { tenantId, path: orderId, signal }));
}

function leastReader(url: string, signal: AbortSignal): VerifyInput['readAtLeast'] {
  return async ({ tenantId, orderId, minVersion }) => {
    const answer = await read(url, { tenantId, path: `${orderId}?minVersion=${minVersion}`, signal });
    const isNotYet = answer.status === 409 && asRecord(answer.body).code === 'NOT_YET_VISIBLE';
    return isNotYet ? 'not yet' : versionOf(url, answer);
  };
}

type Reading = { readonly tenantId: TenantId; readonly path: string; readonly signal: AbortSignal };

function read(url: string, { tenantId, path, signal }: Reading): Promise<ApiAnswer> {
  return openApi({ url, tenantId, signal }).call({ path: `/v1/orders/${path}` });
}

function versionOf(url: string, answer: ApiAnswer): number | null {
  if (answer.status === 404) return null;
  const { version } = asRecord(answer.body);
  if (answer.status !== 200 || typeof version !== 'number') throw new CommandFailure(`${url} ${problemOf(answer)}`);
  return version;
}
