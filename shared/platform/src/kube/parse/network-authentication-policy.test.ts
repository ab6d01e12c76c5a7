import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import { labelled } from '@gatehouse/testing/builders';
import { goodSpec, readWire, rejection } from '@gatehouse/testing/wire-objects';
import { parse } from 'yaml';
import { readObject } from '../read-object.ts';
import type { WireObject } from './fields.ts';

const kind = 'NetworkAuthenticationPolicy';
const backend = { target: { selector: { matchLabels: { app: 'backend' } } } };
const seed = {
  ...backend,
  ports: [{ port: 8080 }],
  sources: [{ podSelector: { matchLabels: { app: 'frontend' } } }],
};
const port8080: PortSelector = { kind: 'range', first: 8080, last: 8080 };

const flowStyle = `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata: { name: frontend-can-talk-to-backend, namespace: demo }
spec:
  target: { selector: { matchLabels: { app: backend } } }
  ports: [ { port: 8080 } ]
  sources: [ { podSelector: { matchLabels: { app: frontend } } } ]
`;

const blockStyle = `
apiVersion: policy.linkerd.io/v1alpha1
kind: NetworkAuthenticationPolicy
metadata:
  name: frontend-can-talk-to-backend
  namespace: demo
spec:
  target:
    selector:
      matchLabels:
        app: backend
  ports:
  - port: 8080
  sources:
  - podSelector:
      matchLabels:
        app: frontend
`;

const seedSpec: NetworkAuthenticationPolicySpec = {
  target: labelled({ app: 'backend' }),
  ports: [port8080],
  sources: [{ podSelector: labelled({ app: 'frontend' }) }],
  rules: undefined,
  allowUnnormalizedPaths: false,
  mode: 'Enforce',
};

test('the seed manifest is read verbatim, in flow style and in block style', () => {
  for (const text of [flowStyle, blockStyle]) {
    const read = readObject(kind, parse(text) as WireObject);
    assert.equal(read.outcome, 'read');
    assert.deepEqual(read.outcome === 'read' && [read.object.meta.name, read.object.spec, read.warnings], [
      'frontend-can-talk-to-backend',
      seedSpec,
      [],
    ]);
  }
});

test('every field of the table is read', () => {
  const spec = goodSpec(kind, {
    spec: {
      target: { selector: {} },
      ports: [{ port: 'http' }, { port: 9000, endPort: 9010 }],
      sources: [
        {
          podSelector: {},
          namespaceSelector: { matchLabels: { team: 'web' } },
          serviceAccounts: [{ name: 'web' }, { name: 'web', namespace: 'other' }],
          identities: ['*', '*.demo.serviceaccount.identity.gatehouse.cluster.local', 'spiffe://td/a'],
          networks: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }],
        },
      ],
      rules: [
        {
          methods: ['GET', 'HEAD', 'M-SEARCH'],
          paths: [
            { type: 'PathPrefix', value: '/api' },
            { type: 'Exact', value: '/' },
          ],
          headers: [{ name: 'X-Tenant', value: 'blue' }],
        },
      ],
      mode: 'Audit',
      allowUnnormalizedPaths: true,
    },
  });
  assert.deepEqual(spec, {
    target: everything,
    ports: [
      { kind: 'name', name: 'http' },
      { kind: 'range', first: 9000, last: 9010 },
    ],
    sources: [
      {
        podSelector: everything,
        namespaceSelector: labelled({ team: 'web' }),
        serviceAccounts: [
          { name: 'web', namespace: 'demo' },
          { name: 'web', namespace: 'other' },
        ],
        identities: [
          { kind: 'suffix', parts: [] },
          { kind: 'suffix', parts: 'demo.serviceaccount.identity.gatehouse.cluster.local'.split('.') },
          { kind: 'exact', identity: { kind: 'other', name: 'spiffe://td/a' } },
        ],
        networks: [
          {
            net: { family: 4, bits: 0x0a000000n, prefix: 8 },
            except: [{ family: 4, bits: 0x0a010000n, prefix: 16 }],
          },
        ],
      },
    ],
    rules: [
      {
        methods: ['GET', 'HEAD', 'M-SEARCH'],
        paths: [
          { kind: 'prefix', value: '/api' },
          { kind: 'exact', value: '/' },
        ],
        headers: [{ name: 'x-tenant', value: 'blue' }],
      },
    ],
    allowUnnormalizedPaths: true,
    mode: 'Audit',
  });
});

test('absent ports are every port, empty sources and rules grant nothing', () => {
  assert.deepEqual(goodSpec(kind, { spec: { ...backend, sources: [], rules: [] } }), {
    ...seedSpec,
    ports: 'all',
    sources: [],
    rules: [],
  });
});

const source = (fields: WireObject): WireObject => ({ ...seed, sources: [fields] });
const rule = (fields: WireObject): WireObject => ({ ...seed, rules: [fields] });

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

const closings: readonly (readonly [
  what: string,
  spec: unknown,
  closes: { readonly selector: unknown; readonly ports: unknown },
])[] = [
  ['a wrong rule', rule({}), { selector: labelled({ app: 'backend' }), ports: [port8080] }],
  [
    'a misspelt field beside the selector',
    { ...seed, target: { ...backend.target, x: 1 } },
    { selector: labelled({ app: 'backend' }), ports: [port8080] },
  ],
  [
    'an unreadable selector',
    { ...seed, target: { selector: { matchLabels: { app: 1 } } } },
    { selector: everything, ports: [port8080] },
  ],
  [
    'a misspelt selector',
    { ...seed, target: { selector: { matchLabel: { app: 'backend' } } } },
    { selector: everything, ports: [port8080] },
  ],
  ['no target', { ...seed, target: undefined }, { selector: everything, ports: [port8080] }],
  [
    'one unreadable port',
    { ...seed, ports: [{ port: 8080 }, { prt: 1 }] },
    { selector: labelled({ app: 'backend' }), ports: 'all' },
  ],
  [
    'misspelt ports',
    { ...backend, port: [{ port: 8080 }], sources: [] },
    { selector: labelled({ app: 'backend' }), ports: 'all' },
  ],
  ['ports without items', { ...seed, ports: null }, { selector: labelled({ app: 'backend' }), ports: 'all' }],
  ['no spec', undefined, { selector: everything, ports: 'all' }],
  ['a spec of another type', [], { selector: everything, ports: 'all' }],
  [
    'an audit policy',
    { ...seed, mode: 'Audit', rule: [] },
    { selector: labelled({ app: 'backend' }), ports: [] },
  ],
  [
    'a misspelt mode',
    { ...seed, mode: 'audit' },
    { selector: labelled({ app: 'backend' }), ports: [port8080] },
  ],
];

test('a rejected policy closes the pods and ports that it still names, and all where it names none', () => {
  for (const [what, spec, closes] of closings)
    assert.deepEqual(rejection(kind, { spec }).closes, closes, what);
  assert.equal(closings.length, 12);
});

test('an unknown version is rejected and says which are known', () => {
  const { problems, closes } = rejection(kind, { version: 'v1', spec: seed });
  assert.deepEqual(problems, ['apiVersion: `v1` is not known: use v1alpha1']);
  assert.deepEqual(closes, { selector: labelled({ app: 'backend' }), ports: [port8080] });
});

test('a name that no API server would store is rejected under that name', () => {
  const { object } = readWire(kind, { name: 'A_policy', spec: seed });
  assert.equal(object.meta.name, 'A_policy');
  assert.equal('rejected' in object.spec && object.spec.rejected.length, 1);
});
