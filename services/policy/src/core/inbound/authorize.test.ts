import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNetwork } from '@gatehouse/core/ip-network';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import {
  aGatewayHttpRoute,
  aMeshTlsAuthentication,
  aNetworkAuthentication,
  anAuthorizationPolicy,
  anHttpRoute,
  aRejected,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import {
  aSituation,
  asPod,
  at,
  frontend,
  identified,
  intruder,
  verdictOf,
} from '../../../testing/situation.ts';

const networkOf = (cidr: string) => {
  const net = parseNetwork(cidr);
  assert(net.ok);
  return { net: net.value, except: [] };
};

const mesh = { kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'mesh' } as const;
const net = { kind: 'NetworkAuthentication', namespace: 'other', name: 'net' } as const;
const account = { kind: 'ServiceAccount', namespace: 'demo', name: 'default' } as const;

/** A Server that denies, an authentication of the shared identity, one of frontend's network in another namespace. */
const guarded = (said: Partial<Situation>): Situation =>
  aSituation({
    servers: [aServer({ name: 'a' })],
    meshTlsAuthentications: [
      aMeshTlsAuthentication({
        name: 'mesh',
        identities: [],
        identityRefs: [{ kind: 'ServiceAccount', namespace: 'demo', name: 'default' }],
      }),
    ],
    networkAuthentications: [
      aNetworkAuthentication({ namespace: 'other', name: 'net', networks: [networkOf('10.0.0.1')] }),
    ],
    ...said,
  });

const stranger = at('192.0.2.1');
const frontendsAddress = at('10.0.0.1');

describe('an AuthorizationPolicy asks for identity AND network', () => {
  const rows = [
    ['nothing: everybody', [], ['allowed', 'allowed', 'allowed', 'allowed']],
    ['an identity, from anywhere', [mesh], ['allowed', 'allowed', 'unauthorized', 'unauthorized']],
    ['a ServiceAccount', [account], ['allowed', 'allowed', 'unauthorized', 'unauthorized']],
    ['a network, anybody there', [net], ['allowed', 'unauthorized', 'allowed', 'unauthorized']],
    ['both', [mesh, net], ['allowed', 'unauthorized', 'unauthorized', 'unauthorized']],
    [
      'both, the other way round',
      [net, account],
      ['allowed', 'unauthorized', 'unauthorized', 'unauthorized'],
    ],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 6));
  for (const [title, authentications, expected] of rows) {
    it(title, () => {
      const situation = guarded({ authorizationPolicies: [anAuthorizationPolicy({ authentications })] });
      const callers = [asPod(frontend), asPod(intruder), frontendsAddress, stranger];
      assert.deepEqual(
        callers.map((caller) => verdictOf(situation, caller)),
        expected,
      );
    });
  }
});

it('several policies are a union, in no order', () => {
  const policies = [
    anAuthorizationPolicy({ name: 'b', authentications: [mesh, net] }),
    anAuthorizationPolicy({ name: 'a', createdAt: 1, authentications: [net] }),
  ];
  for (const authorizationPolicies of [policies, policies.toReversed()]) {
    const situation = guarded({ authorizationPolicies });
    const callers = [asPod(frontend), frontendsAddress, asPod(intruder), stranger];
    assert.deepEqual(
      callers.map((caller) => verdictOf(situation, caller)),
      ['allowed', 'allowed', 'unauthorized', 'unauthorized'],
    );
  }
});

describe('a MeshTLSAuthentication lists identities', () => {
  const rows = [
    ['any', [{ kind: 'suffix', parts: [] }], [], true],
    [
      'exact',
      [
        {
          kind: 'exact',
          identity: parseIdentity('default.demo.serviceaccount.identity.gatehouse.cluster.local'),
        },
      ],
      [],
      true,
    ],
    [
      'exact, another',
      [
        {
          kind: 'exact',
          identity: parseIdentity('default.other.serviceaccount.identity.gatehouse.cluster.local'),
        },
      ],
      [],
      false,
    ],
    ['a suffix', [{ kind: 'suffix', parts: ['gatehouse', 'cluster', 'local'] }], [], true],
    ['a suffix, half a label', [{ kind: 'suffix', parts: ['house', 'cluster', 'local'] }], [], false],
    ['a namespace', [], [{ kind: 'Namespace', name: 'demo' }], true],
    ['another namespace', [], [{ kind: 'Namespace', name: 'emo' }], false],
    ['a ServiceAccount', [], [{ kind: 'ServiceAccount', namespace: 'demo', name: 'default' }], true],
    ['another ServiceAccount', [], [{ kind: 'ServiceAccount', namespace: 'demo', name: 'web' }], false],
    [
      'one of several',
      [{ kind: 'exact', identity: parseIdentity('x') }],
      [{ kind: 'Namespace', name: 'demo' }],
      true,
    ],
    ['none', [], [], false],
  ] as const;
  it('covers the table', () => assert.equal(rows.length, 11));
  for (const [title, identities, identityRefs, admitted] of rows) {
    it(title, () => {
      const situation = guarded({
        meshTlsAuthentications: [aMeshTlsAuthentication({ name: 'mesh', identities, identityRefs })],
        authorizationPolicies: [anAuthorizationPolicy({ authentications: [mesh] })],
      });
      assert.equal(verdictOf(situation, asPod(frontend)), admitted ? 'allowed' : 'unauthorized');
      assert.equal(verdictOf(situation, frontendsAddress), 'unauthorized');
    });
  }

  it('a namespace reference does not admit a ServiceAccount that ends like one', () => {
    const situation = guarded({
      meshTlsAuthentications: [
        aMeshTlsAuthentication({
          name: 'mesh',
          identities: [],
          identityRefs: [{ kind: 'Namespace', name: 'demo' }],
        }),
      ],
      authorizationPolicies: [anAuthorizationPolicy({ authentications: [mesh] })],
    });
    assert.equal(verdictOf(situation, at('10.0.0.9', identified('x.demo', 'other'))), 'unauthorized');
    assert.equal(verdictOf(situation, at('10.0.0.9', identified('x.other', 'demo'))), 'allowed');
  });
});

describe('what an AuthorizationPolicy targets', () => {
  const everybody = (target: Parameters<typeof anAuthorizationPolicy>[0]): Situation =>
    guarded({ authorizationPolicies: [anAuthorizationPolicy({ authentications: [], ...target })] });

  it('the governing Server, and no other', () => {
    assert.equal(verdictOf(everybody({ target: { kind: 'Server', name: 'a' } }), stranger), 'allowed');
    assert.equal(verdictOf(everybody({ target: { kind: 'Server', name: 'b' } }), stranger), 'unauthorized');
  });

  it('a Server that an older one overlaps grants nothing there', () => {
    const situation = everybody({ target: { kind: 'Server', name: 'b' } });
    const servers = [...situation.servers, aServer({ name: 'b', createdAt: 1 })];
    assert.equal(verdictOf({ ...situation, servers }, stranger), 'unauthorized');
  });

  it('the namespace, only on ports that a Server governs', () => {
    const situation = everybody({ target: { kind: 'Namespace' } });
    assert.equal(verdictOf(situation, stranger), 'allowed');
    assert.equal(verdictOf({ ...situation, port: 9000 }, stranger), 'unauthorized');
    assert.equal(verdictOf({ ...situation, servers: [] }, stranger), 'unauthorized');
  });

  it('not from another namespace', () => {
    assert.equal(
      verdictOf(everybody({ namespace: 'other', target: { kind: 'Namespace' } }), stranger),
      'unauthorized',
    );
  });

  it('an attached route of its group, for that route alone', () => {
    const rules = (path: string) => [
      {
        matches: [{ path: { kind: 'exact', value: path } as const, headers: [], queryParams: [] }],
        filters: [],
      },
    ];
    const routes = [
      anHttpRoute({ name: 'r', rules: rules('/ours') }),
      aGatewayHttpRoute({ name: 'r', rules: rules('/gateway') }),
    ];
    const ours = { ...everybody({ target: { kind: 'HTTPRoute', name: 'r' } }), routes };
    assert.equal(verdictOf(ours, stranger, 'GET /ours'), 'allowed');
    assert.equal(verdictOf(ours, stranger, 'GET /gateway'), 'unauthorized');
    const gateways = { ...everybody({ target: { kind: 'GatewayHTTPRoute', name: 'r' } }), routes };
    assert.equal(verdictOf(gateways, stranger, 'GET /ours'), 'unauthorized');
    assert.equal(verdictOf(gateways, stranger, 'GET /gateway'), 'allowed');
    const elsewhere = {
      ...ours,
      routes: [anHttpRoute({ name: 'r', servers: ['b'], rules: rules('/ours') })],
    };
    assert.equal(verdictOf(elsewhere, stranger, 'GET /ours'), 'unauthorized');
  });
});

describe('what is missing fails closed', () => {
  const policy = anAuthorizationPolicy({ name: 'p', authentications: [mesh, net] });
  const rows: readonly (readonly [string, Partial<Situation>])[] = [
    ['the identities deleted', { meshTlsAuthentications: [] }],
    ['the networks deleted', { networkAuthentications: [] }],
    [
      'the identities rejected',
      { meshTlsAuthentications: [aRejected('MeshTLSAuthentication', { name: 'mesh' })] },
    ],
    [
      'the networks rejected',
      { networkAuthentications: [aRejected('NetworkAuthentication', { namespace: 'other', name: 'net' })] },
    ],
    [
      'no network in the list',
      { networkAuthentications: [aNetworkAuthentication({ namespace: 'other', name: 'net', networks: [] })] },
    ],
    [
      'one of the same name in another namespace',
      { networkAuthentications: [aNetworkAuthentication({ name: 'net' })] },
    ],
  ];
  it('covers the table', () => assert.equal(rows.length, 6));
  for (const [title, said] of rows) {
    it(`${title}: the policy grants nothing and says which reference`, () => {
      const situation = guarded({ authorizationPolicies: [policy], ...said });
      assert.equal(verdictOf(situation, asPod(frontend)), 'unauthorized');
      const { findings, server } = compileSituation(situation);
      assert.deepEqual(server.authorizations, []);
      assert.deepEqual(
        findings.map(({ reason }) => reason),
        ['MissingAuthentication'],
      );
      assert.match(
        findings[0]?.message ?? '',
        /(?:MeshTLSAuthentication demo\/mesh|NetworkAuthentication other\/net) does not exist/,
      );
    });
  }

  it('deleting the policy revokes access, changing it changes who has it', () => {
    assert.equal(verdictOf(guarded({ authorizationPolicies: [policy] }), asPod(frontend)), 'allowed');
    assert.equal(verdictOf(guarded({}), asPod(frontend)), 'unauthorized');
    const changed = anAuthorizationPolicy({ name: 'p', authentications: [mesh] });
    assert.equal(verdictOf(guarded({ authorizationPolicies: [changed] }), asPod(intruder)), 'allowed');
  });

  it('a rejected policy grants nothing', () => {
    const rejected = aRejected('AuthorizationPolicy', {
      name: 'p',
      closes: { selector: { matchLabels: {}, matchExpressions: [] }, ports: [] },
    });
    assert.equal(verdictOf(guarded({ authorizationPolicies: [rejected] }), asPod(frontend)), 'unauthorized');
  });
});
