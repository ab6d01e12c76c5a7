import assert from 'node:assert/strict';
import { test } from 'node:test';
import { goodSpec, rejection } from '@gatehouse/testing/wire-objects';

const kind = 'ServerAuthorization';
const server = { name: 'web' };

test('it names a Server or selects some, and admits by network and identity', () => {
  const client = {
    networks: [{ cidr: '10.0.0.0/8' }],
    meshTLS: {
      identities: ['*.a.b'],
      serviceAccounts: [{ name: 'web' }, { name: 'api', namespace: 'other' }],
    },
  };
  const spec = goodSpec(kind, { spec: { server: { selector: { matchLabels: { a: 'b' } } }, client } });
  assert.deepEqual(spec.server, {
    kind: 'labels',
    selector: { matchLabels: { a: 'b' }, matchExpressions: [] },
  });
  assert.equal(spec.networks?.length, 1);
  assert.deepEqual(spec.clients, {
    kind: 'identities',
    identities: [{ kind: 'suffix', parts: ['a', 'b'] }],
    serviceAccounts: [
      { name: 'web', namespace: 'demo' },
      { name: 'api', namespace: 'other' },
    ],
  });
});

test('without networks, or with an empty list of them, those of the cluster are meant', () => {
  for (const networks of [{}, { networks: [] }]) {
    assert.deepEqual(goodSpec(kind, { spec: { server, client: { unauthenticated: true, ...networks } } }), {
      server: { kind: 'name', name: 'web' },
      networks: undefined,
      clients: { kind: 'unauthenticated' },
    });
  }
});

test('TLS without identity can be enough, in the older version too', () => {
  const spec = { server, client: { meshTLS: { unauthenticatedTLS: true } } };
  assert.deepEqual(goodSpec(kind, { version: 'v1alpha1', spec }).clients, { kind: 'tls' });
});

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[]])[] = [
  [
    {},
    [
      'spec.server: missing: name a Server, or select some by their labels',
      'spec.client: missing: say who may call',
    ],
  ],
  [
    { server: {}, client: { unauthenticated: true } },
    ['spec.server: neither name nor selector: write one of the two'],
  ],
  [
    { server: { name: 'a', selector: {} }, client: { unauthenticated: true } },
    ['spec.server: both name and selector: write one of the two'],
  ],
  [{ server, client: {} }, ['spec.client: it admits nobody: say unauthenticated, or whom meshTLS admits']],
  [
    { server, client: { meshTLS: { identities: [] } } },
    ['spec.client: it admits nobody: say unauthenticated, or whom meshTLS admits'],
  ],
  [
    { server, client: { unauthenticated: true, meshTLS: { identities: ['*'] } } },
    ['spec.client: unauthenticated beside meshTLS: it admits everybody: keep one of the two'],
  ],
  [
    { server, client: { meshTLS: { unauthenticatedTLS: true, identities: ['*'] } } },
    [
      'spec.client.meshTLS: unauthenticatedTLS beside identities or serviceAccounts: it admits everybody: keep one of the two',
    ],
  ],
  [
    { server, client: { unauthenticated: true, network: [] } },
    ['spec.client.network: unknown field: did you mean `networks`?'],
  ],
  [
    { server, client: { unauthenticated: true, networks: null } },
    ['spec.client.networks: nothing is written: write a list'],
  ],
];

test('every mistake is refused with its path, and closes nothing', () => {
  for (const [spec, problems] of mistakes) {
    const rejected = rejection(kind, { spec });
    assert.deepEqual([rejected.problems, rejected.closes.ports], [problems, []], JSON.stringify(spec));
  }
  assert.equal(mistakes.length, 9);
});
