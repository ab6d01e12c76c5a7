import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Page, type PageQuery, paginate, readContinue, writeContinue } from '../http/page.ts';
import { mergeParts, type Part } from './merge-parts.ts';
import { searchPage } from './search-page.ts';

const keyOf = (key: string): string => key;

/** The part of a replica that has `all`, as it would answer a question. */
const partOf = (all: readonly string[], query: PageQuery): Part<string> => {
  const page = paginate(all, keyOf, query);
  return { items: page.items.map((key) => ({ key, item: key })), more: page.continue !== undefined };
};

const part = (text: string, more = false): Part<string> => ({
  items: [...text].map((key) => ({ key, item: key })),
  more,
});

const things = fc.uniqueArray(fc.stringMatching(/^[a-f]{1,3}$/), { maxLength: 30 });

test('paging over any number of replicas shows what paging over one that has everything would show', async () => {
  const world = fc.record({
    replicas: fc.array(things, { minLength: 1, maxLength: 5 }),
    /** How many a replica is asked for at once beside what the page needs. */
    atOnce: fc.integer({ min: 1, max: 12 }),
    limit: fc.integer({ min: 1, max: 12 }),
    /** Whom the caller may not see: what begins so. */
    hidden: fc.subarray(['a', 'b', 'c', 'd', 'e', 'f']),
  });
  await fc.assert(
    fc.asyncProperty(world, async ({ replicas, atOnce, limit, hidden }) => {
      const isVisible = (key: string): boolean => !hidden.includes(key.charAt(0));
      const union = [...new Set(replicas.flat())].filter(isVisible);
      const merged = (query: PageQuery): Promise<Page<string>> =>
        searchPage({
          query,
          next: async (after) => {
            const token = after === undefined ? {} : { continue: writeContinue(after) };
            const parts = replicas.map((all) => partOf(all, { ...token, limit: atOnce }));
            return { ...mergeParts(parts, after), partial: [] };
          },
          permitted: async (items, enough) => items.filter(({ key }) => isVisible(key)).slice(0, enough),
          isLate: () => false,
        });
      let query: PageQuery = { limit };
      for (;;) {
        const expected = paginate(union, keyOf, query);
        const { items, continue: more } = await merged(query);
        assert.deepEqual({ items, ...(more === undefined ? {} : { continue: more }) }, expected);
        if (more === undefined) return;
        // Nothing is learnt of what the caller may not see.
        assert.ok(isVisible(readContinue(more)));
        query = { limit, continue: more };
      }
    }),
    { numRuns: 500 },
  );
});

test('a replica that fails once is missing from the whole page, whatever it answers later', async () => {
  const asked: (string | undefined)[] = [];
  const page = await searchPage({
    query: { limit: 3 },
    next: async (after) => {
      asked.push(after);
      return after === undefined
        ? { ...part('ab', true), partial: [{ replica: 'r1', reason: 'down' }] }
        : { ...part('cde'), partial: [] };
    },
    permitted: async (items, enough) => items.slice(0, enough),
    isLate: () => false,
  });
  assert.deepEqual(asked, [undefined, 'b']);
  assert.deepEqual(page.items, ['a', 'b', 'c']);
  assert.deepEqual(page.partial, [{ replica: 'r1', reason: 'down' }]);
});

test('a search that takes too long says what to do, and nothing of what it saw', async () => {
  const search = searchPage({
    query: {},
    next: async () => ({ ...part('ab', true), partial: [] }),
    permitted: async () => [],
    isLate: () => true,
  });
  await assert.rejects(search, { code: 'deadline-exceeded', message: /name one namespace/ });
});
