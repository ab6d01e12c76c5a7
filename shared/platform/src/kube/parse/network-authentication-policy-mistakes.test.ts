import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kind, rule, seed } from '@gatehouse/testing/seed-policy';
import { rejection } from '@gatehouse/testing/wire-objects';
import type { WireObject } from './fields.ts';

const source = (fields: WireObject): WireObject => ({ ...seed, sources: [fields] });

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [undefined, ['spec: missing: write an object']],
  ['x', ['spec: `x` is not an object: write an object']],
  [{ ...seed, rule: [] }, ['spec.rule: unknown field: did you mean `rules`?']],
  [
    { ...seed, podSelector: {} },
    [
      'spec.podSelector: unknown field: remove it; known here: target, ports, sources, rules, mode, allowUnnormalizedPaths',
    ],
  ],
  [
    { ...seed, target: undefined },
    ['spec.target: missing: say which pods: { selector: { matchLabels: … } }'],
  ],
  [
    { ...seed, target: {} },
    ['spec.target.selector: missing: a LabelSelector; {} means all pods of the namespace'],
  ],
  [
    { ...seed, target: { podSelector: {} } },
    [
      'spec.target.selector: missing: a LabelSelector; {} means all pods of the namespace',
      'spec.target.podSelector: unknown field: did you mean `selector`?',
    ],
  ],
  [
    { ...seed, target: { selector: { matchLabel: { app: 'backend' } } } },
    ['spec.target.selector.matchLabel: unknown field: did you mean `matchLabels`?'],
  ],
  [
    { ...seed, ports: [] },
    ['spec.ports: an empty list: name a port, or remove the field to mean every port'],
  ],
  [{ ...seed, ports: null }, ['spec.ports: nothing is written: write a list']],
  [{ ...seed, ports: 8080 }, ['spec.ports: the number 8080 is not a list: write a list']],
  [{ ...seed, ports: [8080] }, ['spec.ports[0]: the number 8080 is not an object: write an object']],
  [
    { ...seed, ports: [{}] },
    ['spec.ports[0].port: missing: a number from 1 to 65535, or the name of a container port'],
  ],
  [
    { ...seed, ports: [{ port: 0 }] },
    ['spec.ports[0].port: the number 0 is not a number from 1 to 65535: a whole number, without quotes'],
  ],
  [
    { ...seed, ports: [{ port: 70000 }] },
    ['spec.ports[0].port: the number 70000 is not a number from 1 to 65535: a whole number, without quotes'],
  ],
  [
    { ...seed, ports: [{ port: '8080' }] },
    ['spec.ports[0].port: `8080` is not a valid port: write the number without quotes'],
  ],
  [
    { ...seed, ports: [{ port: 'Http' }] },
    [
      'spec.ports[0].port: `Http` is not a valid port: a number from 1 to 65535, or the name of a container port',
    ],
  ],
  [
    { ...seed, ports: [{ port: 9000, endPort: 8000 }] },
    ['spec.ports[0].endPort: 8000 is below `port`: a number from 9000 to 65535'],
  ],
  [
    { ...seed, ports: [{ port: 'http', endPort: 8000 }] },
    ['spec.ports[0].endPort: a range needs a number in `port`: remove `endPort`'],
  ],
  [
    { ...seed, ports: [{ port: 1, protocol: 'TCP' }] },
    ['spec.ports[0].protocol: unknown field: remove it; known here: port, endPort'],
  ],
  [{ ...seed, sources: undefined }, ['spec.sources: missing: say who may call; [] grants nothing']],
  [{ ...seed, sources: null }, ['spec.sources: nothing is written: write a list']],
  [
    source({}),
    [
      'spec.sources[0]: an empty source: say who: podSelector, namespaceSelector, serviceAccounts, identities or networks',
    ],
  ],
  [
    source({ podselector: {}, namespaceSelector: {} }),
    ['spec.sources[0].podselector: unknown field: did you mean `podSelector`?'],
  ],
  [source({ podSelector: null }), ['spec.sources[0].podSelector: nothing is written: write an object']],
  [source({ networks: [] }), ['spec.sources[0].networks: an empty list: add an item, or remove the field']],
  [
    source({ identities: [] }),
    ['spec.sources[0].identities: an empty list: add an item, or remove the field'],
  ],
  [
    source({ serviceAccounts: [] }),
    ['spec.sources[0].serviceAccounts: an empty list: add an item, or remove the field'],
  ],
  [
    source({ serviceAccounts: [{}] }),
    ['spec.sources[0].serviceAccounts[0].name: missing: name a ServiceAccount'],
  ],
  [
    source({ serviceAccounts: [{ name: 'A_b' }] }),
    [
      "spec.sources[0].serviceAccounts[0].name: `A_b` is not a ServiceAccount's name: lower-case letters, digits, `-`, `.`",
    ],
  ],
  [
    source({ serviceAccounts: [{ name: 'a', namespace: 'a.b' }] }),
    [
      'spec.sources[0].serviceAccounts[0].namespace: `a.b` is not a valid namespace: lower-case letters, digits and `-`',
    ],
  ],
  [
    source({ serviceAccounts: [{ name: 'a', ns: 'b' }] }),
    ['spec.sources[0].serviceAccounts[0].ns: unknown field: remove it; known here: name, namespace'],
  ],
  [
    source({ networks: [{ cidr: '10.0.0.0/33' }] }),
    ['spec.sources[0].networks[0].cidr: `10.0.0.0/33` has no valid prefix length: 0 to 32 after the slash'],
  ],
  [
    source({ networks: ['10.0.0.0/8'] }),
    ['spec.sources[0].networks[0]: `10.0.0.0/8` is not an object: write an object'],
  ],
  [{ ...seed, rules: null }, ['spec.rules: nothing is written: write a list']],
  [rule({}), ['spec.rules[0]: an empty rule: say which requests: methods, paths or headers']],
  [rule({ method: ['GET'] }), ['spec.rules[0].method: unknown field: did you mean `methods`?']],
  [
    rule({ methods: [] }),
    ['spec.rules[0].methods: an empty list: add an item, or remove the field to match all'],
  ],
  [
    rule({ methods: ['get'] }),
    ['spec.rules[0].methods[0]: `get` is not a valid HTTP method: did you mean `GET`?'],
  ],
  [
    rule({ methods: ['GET '] }),
    ['spec.rules[0].methods[0]: `GET ` is not a valid HTTP method: a method in upper case, such as GET'],
  ],
  [rule({ paths: [{ value: '/a' }] }), ['spec.rules[0].paths[0].type: missing: Exact or PathPrefix']],
  [
    rule({ paths: [{ type: 'Exact' }] }),
    ['spec.rules[0].paths[0].value: missing: an absolute path such as /api'],
  ],
  [
    rule({ paths: [{ type: 'Prefix', value: '/a' }] }),
    ['spec.rules[0].paths[0].type: `Prefix` is not known here: use Exact, PathPrefix'],
  ],
  [
    rule({ paths: [{ type: 'RegularExpression', value: '/a' }] }),
    ['spec.rules[0].paths[0].type: `RegularExpression` is not known here: use Exact, PathPrefix'],
  ],
  [
    rule({ paths: [{ type: 'Exact', value: '' }] }),
    ['spec.rules[0].paths[0].value: an empty text is not absolute: begin with `/`'],
  ],
  [
    rule({ paths: [{ type: 'Exact', value: 'api' }] }),
    ['spec.rules[0].paths[0].value: `api` is not absolute: begin with `/`'],
  ],
  [
    rule({ headers: [{ name: 'x y', value: 'a' }] }),
    [
      'spec.rules[0].headers[0].name: `x y` is not a valid header name: a token of RFC 9110 §5.6.2, such as x-tenant',
    ],
  ],
  [
    rule({ headers: [{ name: 'x', value: 1 }] }),
    ['spec.rules[0].headers[0].value: the number 1 is not text: put it in quotes'],
  ],
  [
    rule({ headers: [{ name: 'x', value: 'a', type: 'Exact' }] }),
    ['spec.rules[0].headers[0].type: unknown field: remove it; known here: name, value'],
  ],
  [{ ...seed, mode: 'audit' }, ['spec.mode: `audit` is not known here: did you mean `Audit`?']],
  [
    { ...seed, allowUnnormalizedPaths: 'true' },
    ['spec.allowUnnormalizedPaths: `true` is neither true nor false: use true or false, without quotes'],
  ],
];

test('every mistake is refused with its path, what is there, and the fix', () => {
  for (const [spec, problems] of mistakes) {
    assert.deepEqual(rejection(kind, { spec }).problems, problems, JSON.stringify(spec));
  }
  assert.equal(mistakes.length, 51);
});

const guarded = ['/api/../x', '//x', '/%2e', '/a%2Fb', '/a\\b', '/a;b', '/.', '/a%00'];

test('a path that can be read in two ways is refused', () => {
  for (const value of guarded) {
    const [problem] = rejection(kind, { spec: rule({ paths: [{ type: 'PathPrefix', value }] }) }).problems;
    assert.match(
      problem ?? '',
      /^spec\.rules\[0\]\.paths\[0\]\.value: .* can be read as another path: /,
      value,
    );
  }
  assert.equal(guarded.length, 8);
});

test('a policy with several mistakes tells all of them', () => {
  const { problems } = rejection(kind, {
    spec: { target: {}, ports: [{ port: 0 }], sources: [{}], rules: [{ methods: ['get'] }], mode: 'x' },
  });
  assert.equal(problems.length, 5);
});
