import assert from 'node:assert/strict';
import { test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import type { PortSelector } from '@gatehouse/core/mesh/named-ports';
import type { NetworkAuthenticationPolicySpec } from '@gatehouse/core/resources/kinds/gatehouse';
import { labelled } from '@gatehouse/testing/builders';
import { backend, kind, rule, seed } from '@gatehouse/testing/seed-policy';
import { goodSpec, readWire, rejection } from '@gatehouse/testing/wire-objects';
import { parse } from 'yaml';
import { readObject } from '../read-object.ts';
import type { WireObject } from './fields.ts';

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
