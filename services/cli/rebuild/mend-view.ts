import { setTimeout as wait } from 'node:timers/promises';

import { openLeases } from '../../../infra/leases/open.ts';
import type { Lease } from '../../../infra/leases/port.ts';
import { orderSummary } from '../../../projections/order-summary/projection.ts';
import { CommandFailure, exitCodes } from '../failure.ts';
import { dropSnapshots, openSharedSnapshots } from '../snapshots-of.ts';
import { toTable } from '../terminal.ts';
import { checkView, type CheckedView } from './check-view.ts';
import { rebuildView } from './rebuild-view.ts';
import type { Rebuilding } from './rebuild-verb.ts';

export type MendViewOptions = { readonly verifyOnly?: boolean; readonly json?: boolean };

/** A whole view: rebuilt, unless it is only to be compared. @returns 1 where it is not the fold of the log */
export async function mendView(rebuilding: Rebuilding, options: MendViewOptions): Promise<number> {
  const { context, projection, isRunning } = rebuilding;
  const { terminal, signal } = context;
  const events = options.verifyOnly === true ? null : await rebuilt(rebuilding);
  const checked = await checkView({ ...rebuilding, isRunning, signal });
  terminal.progress('');
  const result = { projection: projection.view.name, ...(events === null ? {} : { events }), ...checked };
  terminal.print(options.json === true ? JSON.stringify(result, null, 2) : toText(result));
  for (const remark of checked.remarks) terminal.note(remark);
  return checked.differing === 0 ? exitCodes.done : exitCodes.failed;
}

/** @returns how many events are in the view */
async function rebuilt(rebuilding: Rebuilding): Promise<number> {
  const { context, store, readStore, projection, cacheUrl, stack } = rebuilding;
  const { terminal, signal } = context;
  const { name } = projection.view;
  const lease = await takeLease(rebuilding);
  await readStore.prepare([projection.view]);
  const onProgress = (events: number): void => terminal.progress(`${name}: ${events} events`);
  try {
    const both = AbortSignal.any([signal, lease.signal]);
    const events = await rebuildView({ store, readStore, projection, signal: both, onProgress });
    const snapshots = name === orderSummary.view.name ? await openSharedSnapshots(cacheUrl, stack) : null;
    if (snapshots !== null) await dropSnapshots(snapshots);
    return events;
  } catch (error) {
    if (!signal.aborted && lease.signal.aborted)
      throw new CommandFailure(`another process took ${name} over meanwhile`);
    if (signal.aborted) terminal.note(`order-center: ${name} is built in part; the next start goes on`);
    throw error;
  } finally {
    await lease.release();
  }
}

/** A projector that was killed holds its lease for some seconds more. */
const leaseWaitMs = 6_000;
const tryEveryMs = 250;

/** The lease that the view's projector works under. @throws CommandFailure where one works */
async function takeLease({ projection, readDbUrl, isRunning, context, stack }: Rebuilding): Promise<Lease> {
  const leases = await openLeases(readDbUrl);
  stack.defer(() => leases.close());
  const { name } = projection.view;
  const giveUpAt = Date.now() + (isRunning ? 0 : leaseWaitMs);
  for (;;) {
    const lease = await leases.tryAcquire(`projector/${name}`);
    if (lease !== null) return lease;
    if (Date.now() >= giveUpAt) {
      throw new CommandFailure(`a projector keeps ${name}: stop it first, or mend single orders with --order`);
    }
    await wait(tryEveryMs, undefined, { signal: context.signal });
  }
}

type Result = CheckedView & { readonly projection: string; readonly events?: number };

function toText({ projection, events, documents, digest, differing, examples }: Result): string {
  return toTable([
    ['projection', projection],
    ...(events === undefined ? [] : [['events', String(events)]]),
    ['documents', String(documents)],
    ['digest', digest],
    ['differing from the fold', String(differing)],
    ...examples.map((example) => ['', example]),
  ]);
}
