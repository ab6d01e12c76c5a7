import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '../../core/problem.ts';
import { readDocuments } from './manifest-documents.ts';

const read = (text: string) => readDocuments(new TextEncoder().encode(text));

const good: readonly (readonly [what: string, text: string, objects: readonly unknown[]])[] = [
  ['nothing', '', []],
  ['only separators and comments', '# a\n---\n---\n# b\n', []],
  ['an empty object list', 'kind: List\napiVersion: v1\nitems: []', []],
  [
    'two documents',
    'apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: B\n',
    [
      { apiVersion: 'v1', kind: 'A' },
      { apiVersion: 'v1', kind: 'B' },
    ],
  ],
  [
    'JSON with tabs',
    '{\n\t"apiVersion": "v1",\n\t"kind": "A", "x": [\t1,2 ]\n}\n',
    [{ apiVersion: 'v1', kind: 'A', x: [1, 2] }],
  ],
  ['a byte order mark', '\ufeffapiVersion: v1\nkind: A\n', [{ apiVersion: 'v1', kind: 'A' }]],
  ['Windows lines', 'apiVersion: v1\r\nkind: A\r\n', [{ apiVersion: 'v1', kind: 'A' }]],
  [
    'a list in a list, after a document',
    'apiVersion: v1\nkind: A\n---\nkind: List\napiVersion: v1\nitems:\n- kind: List\n  apiVersion: v1\n  items:\n  - { apiVersion: v1, kind: B }\n',
    [
      { apiVersion: 'v1', kind: 'A' },
      { apiVersion: 'v1', kind: 'B' },
    ],
  ],
  [
    'a typed list',
    'kind: PodList\napiVersion: v1\nitems: [ { metadata: { name: a } } ]',
    [{ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }],
  ],
  [
    'anchors and merges',
    'apiVersion: v1\nkind: A\nx: &x { a: b }\ny: { <<: *x, c: d }',
    [{ apiVersion: 'v1', kind: 'A', x: { a: 'b' }, y: { a: 'b', c: 'd' } }],
  ],
  [
    'words that older YAML took for something else',
    'apiVersion: v1\nkind: A\nx: [ on, yes, 0o17, 1e3 ]',
    [{ apiVersion: 'v1', kind: 'A', x: ['on', 'yes', 15, 1000] }],
  ],
];

test('the objects of a manifest are those of its documents and lists, in their order', () => {
  for (const [what, text, objects] of good) assert.deepEqual(read(text), { ok: true, value: objects }, what);
  assert.equal(good.length, 11);
});

const bad: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
  [
    'half a flow map',
    'apiVersion: v1\nkind: {',
    /^line 2, column 8: .*: mend the YAML; nothing of this file is used until then$/,
  ],
  ['half a word', 'apiV', /^document 1: `apiV` is no object: write apiVersion, kind, metadata and spec$/],
  ['half of the head', 'apiVersion: v1\n', /^document 1: kind: missing: every object says its kind$/],
  ['no apiVersion', 'kind: Pod\n', /^document 1: apiVersion: missing/],
  ['something else', 'image: { tag: 1 }\n', /^document 1: apiVersion: missing/],
  ['a kind that is no text', 'apiVersion: v1\nkind: [Pod]\n', /^document 1: kind: a list is no text/],
  ['a good document before a bad one', 'apiVersion: v1\nkind: A\n---\nkind: [', /^line 4, column /],
  ['a list at the top', '- apiVersion: v1\n', /^document 1: a list is no object/],
  [
    'a bad item',
    'kind: List\napiVersion: v1\nitems: [ { kind: A, apiVersion: v1 }, 7 ]',
    /^document 1: items\[1\]: the number 7 is no object/,
  ],
  ['a key written twice', 'apiVersion: v1\nkind: A\nspec: { a: 1, a: 2 }', /unique/],
  ['a key written twice in JSON', '{"apiVersion":"v1","kind":"A","kind":"B"}', /unique/],
  ['an alias to nothing', 'apiVersion: v1\nkind: A\nx: *y', /y/],
  [
    'aliases without end',
    [
      'apiVersion: v1\nkind: A\na0: &a0 [x,x,x,x,x,x,x,x,x]',
      ...[1, 2, 3, 4, 5, 6].map(
        (n) =>
          `a${n}: &a${n} [${Array(9)
            .fill(`*a${n - 1}`)
            .join(',')}]`,
      ),
    ].join('\n'),
    /alias/i,
  ],
  ['tabs for indentation', 'apiVersion: v1\nkind: A\nspec:\n\ta: b', /^line 4/],
];

test('a file that is not whole gives nothing and says where it breaks', () => {
  for (const [what, text, pattern] of bad) {
    const result = read(text);
    assert.match(result.ok ? 'read' : result.problems.map(printProblem).join('; '), pattern, what);
  }
  assert.equal(bad.length, 14);
});

test('every proper beginning of a manifest is read whole or not at all', () => {
  const text =
    'apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: List\nitems: [ { apiVersion: v1, kind: B } ]\n';
  for (let end = 0; end <= text.length; end += 1) {
    const result = read(text.slice(0, end));
    const kinds = result.ok ? result.value.map(({ kind }) => kind) : undefined;
    assert.equal(
      [undefined, '', 'A', 'A,B', 'A,L', 'A,Li', 'A,Lis', 'A,List'].includes(kinds?.join()),
      true,
      text.slice(0, end),
    );
  }
});

test('bytes that are no UTF-8 are refused', () => {
  const result = readDocuments(Uint8Array.of(0x61, 0xff));
  assert.equal(result.ok ? '' : result.problems[0]?.found, 'the file is not UTF-8');
});
