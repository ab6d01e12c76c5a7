import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { leadsNowhere, mergeParts, type Part } from './merge-parts.ts';

const keys = (part: Part<string>): readonly string[] => part.items.map(({ key }) => key);

const part = (text: string, more = false): Part<string> => ({
  items: [...text].map((key) => ({ key, item: key })),
  more,
});

test('parts are merged in order, and what two replicas have is there once', () => {
  assert.deepEqual(mergeParts([part('ad'), part('bcd'), part('')], undefined), part('abcd'));
});

test('what a replica says of itself counts, and not what others have heard of it', () => {
  const said = (item: string): Part<string> => ({ items: [{ key: 'a', item }], more: false });
  const isHearsay = (item: string): boolean => item === 'heard';
  for (const parts of [
    [said('heard'), said('own')],
    [said('own'), said('heard')],
  ])
    assert.deepEqual(mergeParts(parts, undefined, isHearsay), said('own'));
  assert.deepEqual(mergeParts([said('heard')], undefined, isHearsay), said('heard'));
});

test('nothing is shown beyond the end of a part that has more: what comes next there is not known yet', () => {
  assert.deepEqual(mergeParts([part('ac', true), part('bd')], undefined), part('abc', true));
});

test('a part that goes back before the page is cut', () => {
  assert.deepEqual(mergeParts([part('abc'), part('d')], 'b'), part('cd'));
});

test('a part that has more but shows nothing new leads nowhere', () => {
  assert.equal(leadsNowhere(part('', true), undefined), true);
  assert.equal(leadsNowhere(part('ab', true), 'b'), true);
  assert.equal(leadsNowhere(part('abc', true), 'b'), false);
  assert.equal(leadsNowhere(part(''), undefined), false);
});

test('a part of any other shape makes no page out of order, no double and no endless search', () => {
  const shapes = fc.array(
    fc.record({ keys: fc.array(fc.stringMatching(/^[a-f]{1,2}$/), { maxLength: 10 }), more: fc.boolean() }),
    { minLength: 1, maxLength: 4 },
  );
  fc.assert(
    fc.property(shapes, fc.option(fc.stringMatching(/^[a-f]$/), { nil: undefined }), (all, after) => {
      const parts = all
        .map(
          ({ keys: some, more }): Part<string> => ({
            items: some.map((key) => ({ key, item: key })),
            more,
          }),
        )
        .filter((one) => !leadsNowhere(one, after));
      const merged = mergeParts(parts, after);
      assert.deepEqual(keys(merged), [...new Set(keys(merged))].sort());
      assert.ok(after === undefined || keys(merged).every((key) => key > after));
      assert.ok(!merged.more || merged.items.length > 0, 'more leads on');
    }),
  );
});
