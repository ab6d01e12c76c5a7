import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import fc from 'fast-check';
import type { WireObject } from '../parse/fields.ts';
import { ListItems } from './list-items.ts';

/** What comes of a page whose bytes come in these pieces. */
const readIn = (pieces: readonly Buffer[]) => {
  const items: WireObject[] = [];
  const page = new ListItems((item) => items.push(item));
  for (const piece of pieces) page.push(piece);
  const head = page.end();
  return head && { version: head.version, continue: head.continue, items };
};

const read = (text: string) => readIn([Buffer.from(text)]);

suite('the items of a list', () => {
  test('are handed over as they come, before the page has ended', () => {
    const items: WireObject[] = [];
    const page = new ListItems((item) => items.push(item));
    page.push(Buffer.from('{"kind":"PodList","metadata":{"resourceVersion":"7"},"items":[{"a":1},{"b":'));
    assert.deepEqual(items, [{ a: 1 }]);
    page.push(Buffer.from('[2]}'));
    assert.deepEqual(items, [{ a: 1 }, { b: [2] }]);
    assert.equal(page.end(), undefined);
    page.push(Buffer.from(']}\n'));
    assert.equal(page.end()?.version, '7');
  });

  test('may stand before what else the list says, as those of custom resources do', () =>
    assert.deepEqual(
      read(
        '{"apiVersion":"v1","items":[{"a":1}],"kind":"L","metadata":{"continue":"x","resourceVersion":"7"}}',
      ),
      { version: '7', continue: 'x', items: [{ a: 1 }] },
    ));

  test('are none where the list has null, nothing or an empty list', () => {
    for (const items of ['"items":null,', '', '"items":[],', ' "items" : [ \n ] ,'])
      assert.deepEqual(read(`{${items}"metadata":{"resourceVersion":"7"}}`), {
        version: '7',
        continue: undefined,
        items: [],
      });
  });

  test('are those of the list itself, and not of what only looks like them', () => {
    const text =
      '{"a":{"items":[{"b":1}]},"text":"{\\"items\\":[{}]","annotations":{"items":[1]},"metadata":{"resourceVersion":"7"},"items":[{"items":[{}]}]}';
    assert.deepEqual(read(text)?.items, [{ items: [{}] }]);
  });
});

/** Texts that are not a list, each with what is wrong. */
const broken: readonly (readonly [string, string])[] = [
  ['no JSON', 'no'],
  ['nothing', ''],
  ['no object', '[{"items":[{}]}]'],
  ['no version', '{"items":[{}]}'],
  ['an empty version', '{"metadata":{"resourceVersion":""},"items":[]}'],
  ['an end in an item', '{"metadata":{"resourceVersion":"7"},"items":[{"a":1'],
  ['an end among the items', '{"metadata":{"resourceVersion":"7"},"items":[{"a":1}'],
  ['an end behind the items', '{"metadata":{"resourceVersion":"7"},"items":[{"a":1}]'],
  ['an item that is not an object', '{"metadata":{"resourceVersion":"7"},"items":[{},[]]}'],
  ['a number for an item', '{"metadata":{"resourceVersion":"7"},"items":[{},1]}'],
  ['a text for an item', '{"metadata":{"resourceVersion":"7"},"items":["{}"]}'],
  ['an item that is no JSON', '{"metadata":{"resourceVersion":"7"},"items":[{a}]}'],
  ['an item with the wrong bracket', '{"metadata":{"resourceVersion":"7"},"items":[{"a":1]]}'],
  ['no comma between items', '{"metadata":{"resourceVersion":"7"},"items":[{}{}]}'],
  ['two commas between items', '{"metadata":{"resourceVersion":"7"},"items":[{},,{}]}'],
  ['a comma behind the last item', '{"metadata":{"resourceVersion":"7"},"items":[{},]}'],
  ['a comma before the first item', '{"metadata":{"resourceVersion":"7"},"items":[,{}]}'],
  ['the wrong bracket behind the items', '{"metadata":{"resourceVersion":"7"},"items":[{}}}'],
  ['items that are an object', '{"metadata":{"resourceVersion":"7"},"items":{"a":1}}'],
  ['items twice', '{"metadata":{"resourceVersion":"7"},"items":[{}],"items":[{}]}'],
  ['items under an escaped key', '{"metadata":{"resourceVersion":"7"},"\\u0069tems":[{}]}'],
  ['something behind the list', '{"metadata":{"resourceVersion":"7"},"items":[{}]}{'],
];

suite('what is not a list', () => {
  test('there are 22 of them', () => assert.equal(broken.length, 22));
  for (const [what, text] of broken) {
    test(`${what} makes no sense`, () => assert.equal(read(text), undefined));
  }

  test('bytes that are not UTF-8 make no sense, in an item and beside it', () => {
    for (const at of ['"items":[{"a":"?"}]', '"a":"?"']) {
      const text = Buffer.from(`{"metadata":{"resourceVersion":"7"},${at}}`);
      text[text.indexOf('?')] = 0xff;
      assert.equal(readIn([text]), undefined);
    }
  });
});

test('a page is the same in whatever pieces it comes, and as JSON.parse has it', () => {
  // No key needs an escape: V8 14 takes `\n` for `\\` where an object of the same shape had that key before.
  const aName = fc.constantFrom('a', 'items', 'é€😀', '{[', ']}', '');
  const aText = fc.constantFrom('"', '\\', '\\"', '"items":[', '[{"items":[', '\n', '😀');
  const aValue = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(aName, aText),
      fc.integer(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(aName, tie('value'), { maxKeys: 3 }),
    ),
  })).value;
  const aPage = fc.record({
    items: fc.array(fc.dictionary(aName, aValue, { maxKeys: 3 }), { maxLength: 4 }),
    before: fc.dictionary(
      aName.filter((name) => name !== 'items'),
      aValue,
    ),
    behind: fc.dictionary(
      aName.filter((name) => name !== 'items').map((name) => `x${name}`),
      aValue,
    ),
    indent: fc.constantFrom(undefined, 2, '\t'),
    cuts: fc.array(fc.nat({ max: 400 }), { maxLength: 12 }),
  });
  fc.assert(
    fc.property(aPage, ({ items, before, behind, indent, cuts }) => {
      const metadata = { resourceVersion: '7' };
      const bytes = Buffer.from(JSON.stringify({ ...before, metadata, items, ...behind }, undefined, indent));
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length].sort((a, b) => a - b);
      const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
      assert.equal(
        JSON.stringify(readIn(pieces)),
        JSON.stringify({ version: '7', continue: undefined, items }),
      );
    }),
    { numRuns: 2_000 },
  );
});
