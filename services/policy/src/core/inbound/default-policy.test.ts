import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everywhere, parseNetwork } from '@gatehouse/core/ip-network';
import type { Labels } from '@gatehouse/core/label-selector';
import type { DefaultPolicy } from '@gatehouse/core/resources/kinds/linkerd';
import { aNamespace, aPod } from '@gatehouse/testing/builders';
import { compileSituation } from '../../../testing/compile-situation.ts';
import { aSituation, at, identified, verdictOf } from '../../../testing/situation.ts';

const net = parseNetwork('10.0.0.0/8');
assert(net.ok);
const cluster = [{ net: net.value, except: [] }];
const annotation = 'config.linkerd.io/default-inbound-policy';

const situation = (said: {
  readonly policy?: DefaultPolicy;
  readonly pod?: Labels;
  readonly namespace?: Labels;
  readonly port?: number;
}) =>
  aSituation({
    port: said.port ?? 8080,
    target: aPod({ annotations: said.pod ?? {}, ports: [{ name: 'db', port: 5432 }] }),
    namespaces: [aNamespace({ annotations: said.namespace ?? {} })],
    cluster: { ...aSituation().cluster, defaultPolicy: said.policy ?? 'deny', clusterNetworks: cluster },
  });

describe('a default policy admits what contract/linkerd-semantics.md §2.3 says', () => {
  const unauthenticated = { kind: 'unauthenticated' };
  const authenticated = { kind: 'identities', identities: [], suffixes: [[]] };
  const rows = [
    ['all-unauthenticated', everywhere, unauthenticated, ['allowed', 'allowed', 'allowed', 'allowed']],
    ['all-authenticated', everywhere, authenticated, ['unauthorized', 'unauthorized', 'allowed', 'allowed']],
    [
      'cluster-unauthenticated',
      cluster,
      unauthenticated,
      ['allowed', 'unauthorized', 'allowed', 'unauthorized'],
    ],
    [
      'cluster-authenticated',
      cluster,
      authenticated,
      ['unauthorized', 'unauthorized', 'allowed', 'unauthorized'],
    ],
    ['audit', everywhere, unauthenticated, ['allowed', 'allowed', 'allowed', 'allowed']],
    ['deny', undefined, undefined, ['unauthorized', 'unauthorized', 'unauthorized', 'unauthorized']],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 6));
  for (const [policy, networks, authentication, verdicts] of rows) {
    it(policy, () => {
      const { server, governedBy } = compileSituation(situation({ policy }));
      const meta = { kind: 'default', name: policy };
      assert.deepEqual(server.meta, meta);
      assert.deepEqual(
        server.authorizations,
        networks === undefined ? [] : [{ networks, authentication, meta }],
      );
      assert.deepEqual(governedBy, { kind: 'default-policy', base: policy, from: 'cluster' });
      const callers = [
        at('10.0.0.1'),
        at('192.0.2.1'),
        at('10.0.0.1', identified()),
        at('192.0.2.1', identified()),
      ];
      assert.deepEqual(
        callers.map((caller) => verdictOf(situation({ policy }), caller)),
        verdicts,
      );
    });
  }

  it('a SPIFFE client is not authenticated by it', () => {
    const spiffe = { kind: 'identified', id: 'uri', name: 'spiffe://td/app' } as const;
    assert.equal(
      verdictOf(situation({ policy: 'all-authenticated' }), at('10.0.0.1', spiffe)),
      'unauthorized',
    );
  });

  it('without cluster networks the cluster policies admit nobody', () => {
    const nowhere = situation({ policy: 'cluster-unauthenticated' });
    const { server } = compileSituation({ ...nowhere, cluster: { ...nowhere.cluster, clusterNetworks: [] } });
    assert.deepEqual(server.authorizations, []);
  });
});

describe('the default comes from the nearest that says one', () => {
  const rows = [
    ['nobody', {}, {}, 'audit', 'cluster'],
    ['the namespace', {}, { [annotation]: 'all-authenticated' }, 'all-authenticated', 'namespace'],
    ['the pod', { [annotation]: 'deny' }, { [annotation]: 'all-authenticated' }, 'deny', 'pod'],
    [
      'an unreadable pod, over its namespace',
      { [annotation]: 'allow' },
      { [annotation]: 'audit' },
      'deny',
      'pod',
    ],
    ['an unreadable namespace', {}, { [annotation]: ' deny ' }, 'deny', 'namespace'],
    ['an empty text', { [annotation]: '' }, {}, 'deny', 'pod'],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 6));
  for (const [title, pod, namespace, base, from] of rows) {
    it(title, () => {
      const { governedBy } = compileSituation(situation({ policy: 'audit', pod, namespace }));
      assert.deepEqual(governedBy, { kind: 'default-policy', base, from });
    });
  }

  it('what cannot be read is named with the fix', () => {
    const { findings } = compileSituation(situation({ pod: { [annotation]: 'allow' } }));
    assert.deepEqual(
      findings.map(({ reason, about }) => ({ reason, about })),
      [{ reason: 'UnreadableDefault', about: { kind: 'workload' } }],
    );
    assert.match(
      findings[0]?.message ?? '',
      /the pod's annotation .* `allow`.*use one of all-unauthenticated/i,
    );
  });
});

describe('a pod may require identities on some ports', () => {
  const require = 'config.linkerd.io/proxy-require-identity-inbound-ports';
  const rows = [
    ['all-unauthenticated', '8080', 'all-authenticated'],
    ['cluster-unauthenticated', '25,8000-8100', 'cluster-authenticated'],
    ['all-unauthenticated', '9000', 'all-unauthenticated'],
    ['audit', '8080', 'audit'],
    ['deny', '8080', 'deny'],
    ['all-unauthenticated', 'http', 'all-authenticated'],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 6));
  for (const [policy, ports, expected] of rows) {
    it(`${policy} with ${ports} is ${expected}`, () => {
      const { governedBy } = compileSituation(situation({ policy, pod: { [require]: ports } }));
      assert.deepEqual(governedBy, { kind: 'default-policy', base: expected, from: 'cluster' });
    });
  }

  it('a list that cannot be read is reported', () => {
    const { findings } = compileSituation(situation({ policy: 'audit', pod: { [require]: 'http' } }));
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['UnreadableDefault'],
    );
  });
});

describe('the protocol of a port without Server', () => {
  const opaque = 'config.linkerd.io/opaque-ports';
  const rows = [
    ['no annotation', {}, 5432, 'detect'],
    ['listed', { [opaque]: '25,5432' }, 5432, 'opaque'],
    ['in a listed range', { [opaque]: '5000-6000' }, 5432, 'opaque'],
    ['listed by name', { [opaque]: 'db' }, 5432, 'opaque'],
    ['not listed', { [opaque]: '25' }, 5432, 'detect'],
    ['an empty list', { [opaque]: '' }, 5432, 'detect'],
    ['of the default list', {}, 3306, 'opaque'],
    ['of the default list, where the pod has one of its own', { [opaque]: '25' }, 3306, 'detect'],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 8));
  for (const [title, pod, port, kind] of rows) {
    it(`${title}: ${kind}`, () =>
      assert.equal(compileSituation(situation({ pod, port })).server.protocol.kind, kind));
  }
});
