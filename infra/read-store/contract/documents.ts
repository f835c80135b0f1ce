import { beforeEach, describe, expect, it } from 'vitest';
import type { Filter } from '../port.ts';
import { note, notes, otherTenant, position, put, tenantId, type TestedStore } from './tested-store.ts';

/** What it promises of documents: found by key, listed by columns, scanned and counted. */
export function documentsContract(tested: TestedStore): void {
  const { commit, find } = tested;

  it('gives back what was committed, null for what is not there, in the order of the keys', async () => {
    const odd = note({
      text: 'q"uote \\ {brace} ü 😀',
      size: Number.MAX_SAFE_INTEGER,
      tags: ['a"b', 'c\\d', 'e,f', '{}'],
    });
    await commit([put('b', odd), put('a', note())]);
    const keys = ['a', 'none', 'b'].map((key) => ({ tenantId, key }));
    expect(await tested.readStore.find(notes, keys)).toEqual([note(), null, odd]);
  });

  it('replaces and deletes documents', async () => {
    await commit([put('a', note()), put('b', note())]);
    await commit([put('a', note({ text: 'new' })), put('b', null)], { from: position('c1'), to: position('c2') });
    expect([(await find('a'))?.text, await find('b')]).toEqual(['new', null]);
  });

  it('keeps tenants apart', async () => {
    await commit([put('a', note())]);
    expect(await find('a', otherTenant)).toBeNull();
  });

  it('answers many finds of one turn, each with its own', async () => {
    await commit(Array.from({ length: 50 }, (_, index) => put(`k${index}`, note({ size: index }))));
    const found = await Promise.all(Array.from({ length: 60 }, (_, index) => find(`k${index}`)));
    expect(found.map((each) => each?.size ?? null)).toEqual(
      Array.from({ length: 60 }, (_, index) => (index < 50 ? index : null)),
    );
  });

  describe('list', () => {
    const day = (number: number): string => `2026-01-0${number}T00:00:00.000Z`;
    const list = async (filters: readonly Filter[], after?: { value: string; key: string }): Promise<string[]> => {
      const query = { view: notes, tenantId, filters, newestBy: 'at', limit: 3 };
      const rows = await tested.readStore.list(after === undefined ? query : { ...query, after });
      return rows.map(({ key }) => key);
    };
    beforeEach(() =>
      commit([
        put('a', note({ at: day(1), owner: 'ann', size: 5 })),
        put('b', note({ at: day(2), owner: 'bob', tags: ['x', 'y "z"'] })),
        put('c', note({ at: day(2), owner: 'ann', text: null })),
        put('d', note({ at: day(4), owner: 'ann', tags: ['x'] })),
        put('z', note({ at: day(5) }), otherTenant),
      ]),
    );

    it('is newest first, then by key downwards, and goes on after a row', async () => {
      expect(await list([])).toEqual(['d', 'c', 'b']);
      expect(await list([], { value: day(2), key: 'c' })).toEqual(['b', 'a']);
    });

    it('filters by equality, range and membership, all at once', async () => {
      expect(await list([{ column: 'owner', equals: 'ann' }])).toEqual(['d', 'c', 'a']);
      expect(await list([{ column: 'size', equals: 5 }])).toEqual(['a']);
      expect(await list([{ column: 'tags', contains: 'y "z"' }])).toEqual(['b']);
      expect(await list([{ column: 'at', from: day(2), to: day(4) }])).toEqual(['c', 'b']);
      expect(await list([{ column: 'owner', equals: 'ann' }, { column: 'tags', contains: 'x' }])).toEqual(['d']); // prettier-ignore
      expect(await list([{ column: 'text', equals: 'null' }])).toEqual([]);
    });

    it('takes any text as a value, never as SQL', async () => {
      expect(await list([{ column: 'owner', equals: "'; drop schema views; --" }])).toEqual([]);
      await expect(list([{ column: 'owner; drop', equals: 'x' }])).rejects.toThrow('no column');
    });
  });

  it('scans every document by tenant and key, over pages', async () => {
    const keys = Array.from({ length: 1_203 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    await commit([...keys.map((key) => put(key, note())).reverse(), put('a', note(), otherTenant)]);
    const scanned: string[] = [];
    for await (const row of tested.readStore.scan(notes)) scanned.push(`${row.tenantId}/${row.key}`);
    expect(scanned).toEqual(['rival/a', ...keys.map((key) => `shop/${key}`)]);
  });

  it('scans those that pass a filter, of all tenants, over pages', async () => {
    const keys = Array.from({ length: 1_203 }, (_, index) => `k${String(index).padStart(4, '0')}`);
    const bobs = keys.map((key) => put(key, note({ owner: 'bob' })));
    await commit([...bobs, put('k0000x', note({ owner: 'ann' })), put('a', note({ owner: 'bob' }), otherTenant)]);
    const scanned: string[] = [];
    const filter = { column: 'owner', equals: 'bob' };
    for await (const row of tested.readStore.scan(notes, filter)) scanned.push(`${row.tenantId}/${row.key}`);
    expect(scanned).toEqual(['rival/a', ...keys.map((key) => `shop/${key}`)]);
  });

  it('counts the rows of each value of a column, of all tenants, leaving out what has none', async () => {
    expect(await tested.readStore.countBy(notes, 'owner')).toEqual(new Map());
    const owners = ['ann', 'bob', 'ann', "o'hara"].map((owner, index) => put(`n${index}`, note({ owner })));
    await commit([...owners, put('n0', note({ text: null }), otherTenant)]);
    const counted = await tested.readStore.countBy(notes, 'owner');
    expect([...counted].sort()).toEqual([
      ['ann', 3],
      ['bob', 1],
      ["o'hara", 1],
    ]);
    expect(await tested.readStore.countBy(notes, 'text')).toEqual(new Map([['hello', 4]]));
    await expect(tested.readStore.countBy(notes, 'price')).rejects.toThrow('no column price');
  });

  it('answers a ping', async () => {
    await expect(tested.readStore.ping()).resolves.toBeUndefined();
  });
}
