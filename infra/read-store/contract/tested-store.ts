import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { TenantId } from '../../../schemas/ids.ts';
import type { Checkpoint } from '../../event-feed/port.ts';
import type { BatchWrite, CommitOutcome, Document, DocumentWrite, ReadStore, View } from '../port.ts';

export type ReadStoreUnderTest = { readonly readStore: ReadStore; readonly close: () => Promise<void> };

export type Note = {
  readonly owner: string;
  readonly text: string | null;
  readonly size: number;
  readonly at: string;
  readonly tags: readonly string[];
};

export const notes: View<Note> = {
  name: 'test-notes',
  version: 1,
  columns: {
    owner: { type: 'text', of: ({ owner }) => owner },
    text: { type: 'text', of: ({ text }) => text },
    size: { type: 'bigint', of: ({ size }) => size },
    at: { type: 'timestamptz', of: ({ at }) => at },
    tags: { type: 'text[]', of: ({ tags }) => tags },
  },
  indexes: [['at'], ['owner', 'at'], ['tags']],
};

type Alarm = { readonly dueAt: string; readonly note: string };

export const alarms: View<Alarm> = {
  name: 'test-alarms',
  version: 1,
  columns: { due_at: { type: 'timestamptz', of: ({ dueAt }) => dueAt } },
  indexes: [],
  dueColumn: 'due_at',
};

/** For tests of one adapter. */
export const exampleViews: readonly View[] = [notes, alarms];

export const tenantId = 'shop' as TenantId;
export const otherTenant = 'rival' as TenantId;

export function note(changes: Partial<Note> = {}): Note {
  return { owner: 'ann', text: 'hello', size: 1, at: '2026-01-01T00:00:00.000Z', tags: [], ...changes };
}

export function put(key: string, document: Document | null, tenant = tenantId): DocumentWrite {
  return { tenantId: tenant, key, document };
}

export function position(name: string): Checkpoint {
  return name as Checkpoint;
}

/** One adapter's store, opened once for a suite, with empty example views before each test. */
export type TestedStore = {
  readonly readStore: ReadStore;
  readonly commit: (documents: readonly DocumentWrite[], options?: CommitOptions) => Promise<CommitOutcome>;
  readonly find: (key: string, tenant?: TenantId) => Promise<Note | null>;
};

type CommitOptions = Partial<BatchWrite['move']> & Partial<Pick<BatchWrite, 'view' | 'progress' | 'begun'>>;

/** Called within the suite, whose hooks it takes. */
export function openTestedStore(open: () => Promise<ReadStoreUnderTest>): TestedStore {
  let opened: ReadStoreUnderTest | undefined;
  const readStore = (): ReadStore => {
    if (opened === undefined) throw new Error('a read store before its suite began');
    return opened.readStore;
  };
  beforeAll(async () => {
    opened = await open();
  });
  afterAll(() => opened?.close());
  beforeEach(async () => {
    await readStore().prepare(exampleViews);
    for (const view of exampleViews) await readStore().clear(view);
  });
  return {
    get readStore() {
      return readStore();
    },
    commit: (documents, options = {}) => {
      const { view = notes, progress = [], begun = [], from = null, to = position('c1') } = options;
      const move = { consumer: view.name, partition: 'log', from, to };
      return readStore().commit({ view, documents, progress, begun, move });
    },
    find: async (key, tenant = tenantId) => (await readStore().find(notes, [{ tenantId: tenant, key }]))[0] ?? null,
  };
}
