import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type PageQuery, paginate } from './page.ts';

const walk = (
  items: readonly string[],
  limit: number,
  between: (page: number) => readonly string[],
): string[] => {
  const seen: string[] = [];
  let query: PageQuery = { limit };
  let current = items;
  for (let page = 0; ; page += 1) {
    const { items: found, continue: next } = paginate(current, (item) => item, query);
    seen.push(...found);
    if (next === undefined) return seen;
    query = { limit, continue: next };
    current = between(page);
  }
};

test('the pages together are all items, each once, in the order of their keys', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.string()), fc.integer({ min: 1, max: 7 }), (items, limit) => {
      assert.deepEqual(
        walk(items, limit, () => items),
        [...items].sort((a, b) => (a < b ? -1 : 1)),
      );
    }),
  );
});

test('what is there all the time is seen once, whatever comes and goes between two pages', () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.string(), { minLength: 1 }),
      fc.array(fc.array(fc.string()), { minLength: 1 }),
      fc.integer({ min: 1, max: 3 }),
      (steady, passing, limit) => {
        const fixture = (page: number) => [
          ...new Set([...steady, ...(passing[page % passing.length] ?? [])]),
        ];
        const seen = walk(fixture(0), limit, (page) => fixture(page + 1));
        assert.deepEqual(seen.filter((item) => steady.includes(item)).sort(), [...steady].sort());
      },
    ),
  );
});

test('a page holds 100 items when nobody says how many, and the last page does not go on', () => {
  const items = Array.from({ length: 100 }, (_, index) => `${index}`);
  const whole = paginate(items, (item) => item, {});
  assert.deepEqual([whole.items.length, whole.continue], [100, undefined]);
  const more = paginate([...items, 'x'], (item) => item, {});
  assert.deepEqual([more.items.length, typeof more.continue], [100, 'string']);
});

test('a mark that no page said is refused', () => {
  for (const mark of ['!', 'YQ==', 'Y', 'gA']) {
    assert.throws(
      () => paginate(['a'], (item) => item, { continue: mark }),
      { code: 'invalid-argument' },
      mark,
    );
  }
});
