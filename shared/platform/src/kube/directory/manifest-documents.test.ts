import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { laboriousManifests } from '@gatehouse/testing/hostile/laborious-manifests';
import { readDocuments } from './manifest-documents.ts';

const readText = (text: string) => readDocuments(new TextEncoder().encode(text));

/** The objects of a text, or its problems, a line each; 'foreign' when it is not a manifest. */
const read = (text: string): readonly unknown[] | string => {
  const result = readText(text);
  if (!result.ok) return result.problems.map(printProblem).join('; ');
  return result.value.kind === 'foreign' ? 'foreign' : result.value.objects;
};

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
    'apiVersion: v1\nkind: A\nx: &x { a: b }\nz: { <<: *x, c: d }',
    [{ apiVersion: 'v1', kind: 'A', x: { a: 'b' }, z: { a: 'b', c: 'd' } }],
  ],
  [
    'words that YAML 1.1 takes for something else, as kubectl does',
    'apiVersion: v1\nkind: A\nx: [ on, yes, 017, 1e3 ]',
    [{ apiVersion: 'v1', kind: 'A', x: [true, true, 15, 1000] }],
  ],
  [
    'JSON values one after the other',
    '{"apiVersion":"v1","kind":"A"}\n{"apiVersion":"v1","kind":"B","x":"}{"}{"apiVersion":"v1","kind":"C"}\n',
    [
      { apiVersion: 'v1', kind: 'A' },
      { apiVersion: 'v1', kind: 'B', x: '}{' },
      { apiVersion: 'v1', kind: 'C' },
    ],
  ],
  [
    'flow mappings of YAML that are not JSON',
    "{apiVersion: v1, kind: A, x: '}{'}\n---\n{apiVersion: v1, kind: B} # }{\n",
    [
      { apiVersion: 'v1', kind: 'A', x: '}{' },
      { apiVersion: 'v1', kind: 'B' },
    ],
  ],
  [
    'files joined with their byte order marks',
    '\ufeff---\napiVersion: v1\nkind: A\n---\n\ufeffapiVersion: v1\nkind: B\n\ufeff---\napiVersion: v1\nkind: C\n',
    [
      { apiVersion: 'v1', kind: 'A' },
      { apiVersion: 'v1', kind: 'B' },
      { apiVersion: 'v1', kind: 'C' },
    ],
  ],
  [
    'JSON files joined with their byte order marks',
    '\ufeff{"apiVersion":"v1","kind":"A"}\ufeff{"apiVersion":"v1","kind":"B"}',
    [
      { apiVersion: 'v1', kind: 'A' },
      { apiVersion: 'v1', kind: 'B' },
    ],
  ],
  [
    'an anchor that is used more than a hundred times',
    `apiVersion: v1\nkind: A\nx: &x { a: b }\nz: [${'*x, '.repeat(1_000)}]`,
    [{ apiVersion: 'v1', kind: 'A', x: { a: 'b' }, z: Array(1_000).fill({ a: 'b' }) }],
  ],
  [
    'tags that mean nothing here',
    'apiVersion: v1\nkind: A\nx: !Ref B\nw: !Sub [ c ]\nz: !!python/dict { d: e }',
    [{ apiVersion: 'v1', kind: 'A', x: 'B', w: ['c'], z: { d: 'e' } }],
  ],
];

test('the objects of a manifest are those of its documents and lists, in their order', () => {
  for (const [what, text, objects] of good) assert.deepEqual(read(text), objects, what);
  assert.equal(good.length, 17);
});

const bad: readonly (readonly [what: string, text: string, problem: RegExp])[] = [
  [
    'half a flow map',
    'apiVersion: v1\nkind: {',
    /^line 2, column 8: .*: fix the YAML; nothing of this file is used until then$/,
  ],
  ['half a word', 'apiV', /^document 1: `apiV` is not an object: write apiVersion, kind, metadata and spec$/],
  ['half of the head', 'apiVersion: v1\n', /^document 1: kind: missing: every object says its kind$/],
  ['no apiVersion', 'kind: Pod\n', /^document 1: apiVersion: missing/],
  ['no kind, beside a spec', 'apiVersion: a/v1\nspec: {}\n', /^document 1: kind: missing/],
  ['a misspelt kind', 'apiVersion: v1\nknd: Pod\nmetadata: {}\n', /^document 1: kind: missing/],
  [
    'an object without either, beside a whole one',
    'apiVersion: v1\nkind: A\n---\na: b\n',
    /^document 2: apiVersion/,
  ],
  ['a kind that is not text', 'apiVersion: v1\nkind: [Pod]\n', /^document 1: kind: a list is not a text/],
  ['a good document before a bad one', 'apiVersion: v1\nkind: A\n---\nkind: [', /^line 4, column /],
  ['a list at the top', '- apiVersion: v1\n', /^document 1: a list is not an object/],
  ['a list of another case', 'kind: list\napiVersion: v1\nitems: []\n', /^document 1: a list that cannot/],
  ['a list without items', 'kind: List\napiVersion: v1\nitms: []\n', /^document 1: a list that cannot/],
  ['a misspelt list', 'kind: Lst\napiVersion: v1\nitems: []\n', /^document 1: a list that cannot/],
  ['items that are not a list', 'kind: List\napiVersion: v1\nitems: {}\n', /^document 1: a list that cannot/],
  [
    'a bad item',
    'kind: List\napiVersion: v1\nitems: [ { kind: A, apiVersion: v1 }, 7 ]',
    /^document 1: items\[1\]: the number 7 is not an object/,
  ],
  ['a key written twice', 'apiVersion: v1\nkind: A\nspec: { a: 1, a: 2 }', /duplicated mapping key/],
  ['a key written twice in JSON', '{"apiVersion":"v1","kind":"A","kind":"B"}', /duplicated mapping key/],
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
    /^document 1: with its aliases written out it is longer than 8388608 characters: write it with fewer aliases$/,
  ],
  [
    'an alias to itself',
    'apiVersion: v1\nkind: A\nx: &x [*x]',
    /^document 1: an anchor holds an alias to itself/,
  ],
  [
    'aliases that nest',
    `apiVersion: v1\nkind: A\na0: &a0 [x]\n${Array.from({ length: 300 }, (_, n) => `a${n + 1}: &a${n + 1} [*a${n}]`).join('\n')}`,
    /^document 1: it nests more than 200 levels deep/,
  ],
  ['lists in lists', `apiVersion: v1\nkind: A\nx: ${'['.repeat(10_000)}`, /nesting/],
  [
    'a key written twice in the second of two JSON values',
    '{"apiVersion":"v1","kind":"A"}\n{"a":1,\n"a":2}',
    /^line 3, column 2: dup/,
  ],
  ['tabs for indentation', 'apiVersion: v1\nkind: A\nspec:\n\ta: b', /^line 4/],
];

test('a file that is not whole gives nothing and says where it breaks', () => {
  for (const [what, text, pattern] of bad) {
    const result = read(text);
    assert.match(typeof result === 'string' ? result : 'read', pattern, what);
  }
  assert.equal(bad.length, 24);
});

test('every proper beginning of a manifest is read whole or not at all', () => {
  const text =
    'apiVersion: v1\nkind: A\n---\napiVersion: v1\nkind: List\nitems: [ { apiVersion: v1, kind: B } ]\n';
  for (let end = 0; end <= text.length; end += 1) {
    const result = read(text.slice(0, end));
    const kinds =
      typeof result === 'string' ? undefined : result.map((object) => (object as { kind: unknown }).kind);
    assert.equal(
      [undefined, '', 'A', 'A,B', 'A,L', 'A,Li', 'A,Lis', 'A,List'].includes(kinds?.join()),
      true,
      text.slice(0, end),
    );
  }
});

const foreign: readonly (readonly [what: string, text: string])[] = [
  ["a chart's values", 'image: { tag: 1 }\nkind: DaemonSet\n'],
  ['a Chart.yaml', 'apiVersion: v2\nname: web\nversion: 1.0.0\n'],
  ['a kustomization', 'resources: [ a.yaml ]\n'],
  ['a package.json', '{ "name": "web", "private": true }'],
  ['a list of names', '- a\n- b\n'],
  ['a playbook with tags', '- hosts: all\n  vars: !vault |\n    abc\n'],
  ['several documents', 'a: b\n---\n# nothing\n---\nc: d\n'],
];

test('a file that never says apiVersion and kind is not a manifest', () => {
  for (const [what, text] of foreign) assert.equal(read(text), 'foreign', what);
  assert.equal(foreign.length, 7);
});

test('a manifest costs what its length costs, whatever is in it', () => {
  const cpuOf = (text: string): number => {
    const before = process.cpuUsage();
    read(text);
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  };
  for (const [what, write] of Object.entries(laboriousManifests)) {
    cpuOf(write(500));
    const few = Math.max(cpuOf(write(2_500)), 20);
    const many = cpuOf(write(20_000));
    // Eight times as much; when it was the square, 20,000 keys took half a minute and 64 times as long.
    assert.ok(many < 24 * few, `${what}: ${few} ms, then ${many} ms`);
  }
  assert.equal(Object.keys(laboriousManifests).length, 15);
});

test('bytes that are not UTF-8 are rejected', () => {
  const result = readDocuments(Uint8Array.of(0x61, 0xff));
  assert.equal(result.ok ? '' : result.problems[0]?.found, 'the file is not UTF-8');
});
