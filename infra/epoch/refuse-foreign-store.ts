import type { EventStore } from '../event-store/port.ts';
import { storePositionOf } from '../event-feed/store-position.ts';
import { isOperationalFailure, OperationalFailure } from '../failures.ts';
import type { ReadStore, StoredCheckpoint } from '../read-store/port.ts';
import { readKnownEpochs, rememberEpoch, storeLocation } from './known-epochs.ts';

/** A process's own event store, and everybody who may remember another one. */
export type EpochWitnesses = {
  readonly store: Pick<EventStore, 'epoch' | 'formerEpochs' | 'readLog'>;
  readonly readStore: Pick<ReadStore, 'checkpoints'>;
  /** null for a role without a data folder. */
  readonly memory: DataDirMemory | null;
};

/** A data folder that this process has claimed, and EVENT_STORE_URL as it was given. */
export type DataDirMemory = { readonly dataDir: string; readonly eventStoreUrl: string };

/**
 * Refuses, before any door opens and anything is written, an event store that is not the one this deployment knew: a
 * foreign one, an emptied one, or one restored from an older state. Each checkpoint must be an event of this store, and
 * the data folder must have met this store, or none, at this place. A first start and a start after a crash pass.
 * @throws OperationalFailure FOREIGN_STORE; those of the stores
 */
export async function refuseForeignStore(witnesses: EpochWitnesses): Promise<void> {
  const { store, readStore } = witnesses;
  for (const checkpoint of await readStore.checkpoints()) await refuseUnlessOurs(store, checkpoint);
  if (witnesses.memory !== null) await askDataDir(store, witnesses.memory);
}

async function refuseUnlessOurs(
  store: EpochWitnesses['store'],
  { consumer, position: checkpoint }: StoredCheckpoint,
): Promise<void> {
  const position = storePositionOf(checkpoint);
  if (position === null) return;
  try {
    // Reading on from a position proves that it is an event of this store.
    await store.readLog({ after: position, limit: 1 });
  } catch (error) {
    if (!isOperationalFailure(error, 'FOREIGN_STORE')) throw error;
    const isOfEpoch = position.startsWith(`${shortOf(store.epoch)}.`);
    throw foreign(
      isOfEpoch
        ? `${consumer} has seen position ${position}, and this event store has no such event: it was set back to an older state`
        : `${consumer} has followed another event store (it is at ${position}); ${await descriptionOf(store)}`,
      error,
    );
  }
}

async function askDataDir(store: EpochWitnesses['store'], { dataDir, eventStoreUrl }: DataDirMemory): Promise<void> {
  const location = storeLocation(eventStoreUrl);
  if (location === null) return;
  const known = (await readKnownEpochs(dataDir))[location];
  if (known !== undefined && known !== store.epoch && !store.formerEpochs.includes(known)) {
    const last = `at its last start the event store at ${location} had epoch ${shortOf(known)}`;
    throw foreign(`${last}; ${await descriptionOf(store)}`);
  }
  await rememberEpoch(dataDir, location, store.epoch);
}

/** What this store is, for whoever reads why it is refused. */
export async function descriptionOf(store: EpochWitnesses['store']): Promise<string> {
  const { events } = await store.readLog({ after: null, limit: 1 });
  return `this one has epoch ${shortOf(store.epoch)}${events.length === 0 ? ' and is empty' : ''}`;
}

/** As in positions. */
function shortOf(epoch: string): string {
  return epoch.slice(0, 8);
}

/** @returns FOREIGN_STORE with its advice */
export function foreign(detail: string, cause?: unknown): OperationalFailure {
  return new OperationalFailure('FOREIGN_STORE', detail, { retryable: false, cause });
}
