import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseNetwork } from '@gatehouse/core/ip-network';
import { everything } from '@gatehouse/core/label-selector';
import { parseIdentity } from '@gatehouse/core/mesh/workload-identity';
import {
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthentication,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation } from '../../../testing/compile-situation.ts';
import {
  aSituation,
  asPod,
  at,
  backend,
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
const seed = aNetworkAuthenticationPolicy();

describe("the seed's story", () => {
  it('default deny: nobody is admitted, and the row says which default', () => {
    const situation = aSituation();
    for (const traffic of ['GET /', 'bytes'])
      assert.equal(verdictOf(situation, asPod(frontend), traffic), 'unauthorized');
    const { server, governedBy } = compileSituation(situation);
    assert.deepEqual(server, {
      protocol: {
        kind: 'detect',
        timeoutMs: 10_000,
        routes: [
          {
            meta: { kind: 'default', name: 'default' },
            hosts: [],
            authorizations: [],
            rules: [
              {
                matches: [{ path: { kind: 'prefix', value: '/' }, headers: [], queryParams: [] }],
                filters: [],
              },
            ],
          },
        ],
      },
      authorizations: [],
      meta: { kind: 'default', name: 'deny' },
    });
    assert.deepEqual(governedBy, { kind: 'default-policy', base: 'deny', from: 'cluster' });
  });

  it('the policy admits frontend to 8080, by identity and address, and nobody and nowhere else', () => {
    const situation = aSituation({ networkAuthenticationPolicies: [seed] });
    const rows: readonly (readonly [string, Parameters<typeof verdictOf>[1], number, string])[] = [
      ['frontend', asPod(frontend), 8080, 'allowed'],
      ['frontend to 9000', asPod(frontend), 9000, 'unauthorized'],
      ['intruder, same identity', asPod(intruder), 8080, 'unauthorized'],
      ["frontend's address without certificate", at('10.0.0.1'), 8080, 'unauthorized'],
      ["frontend's address, anonymous TLS", at('10.0.0.1', { kind: 'anonymous' }), 8080, 'unauthorized'],
      ["frontend's address, another identity", at('10.0.0.1', identified('web')), 8080, 'unauthorized'],
      ["frontend's identity from elsewhere", at('192.0.2.1', identified()), 8080, 'unauthorized'],
    ];
    for (const [title, caller, port, expected] of rows) {
      for (const traffic of ['GET /', 'bytes']) {
        assert.equal(verdictOf({ ...situation, port }, caller, traffic), expected, `${title}, ${traffic}`);
      }
    }
    assert.equal(rows.length, 7);
    const { server, governedBy } = compileSituation(situation);
    assert.deepEqual(server.authorizations, [
      {
        networks: [networkOf('10.0.0.1/32')],
        authentication: {
          kind: 'identities',
          identities: [parseIdentity('default.demo.serviceaccount.identity.gatehouse.cluster.local')],
          suffixes: [],
        },
        meta: {
          kind: 'resource',
          resource: {
            group: 'policy.linkerd.io',
            kind: 'networkauthenticationpolicy',
            name: 'frontend-can-talk-to-backend',
          },
        },
      },
    ]);
    assert.equal(governedBy.kind, 'network-authentication-policies');
  });

  it('a second policy with rules opens 9000 for GET /api only', () => {
    const ruled = aNetworkAuthenticationPolicy({
      name: 'rules',
      ports: [{ kind: 'range', first: 9000, last: 9000 }],
      rules: [{ methods: ['GET'], paths: [{ kind: 'prefix', value: '/api' }] }],
    });
    const situation = aSituation({ port: 9000, networkAuthenticationPolicies: [seed, ruled] });
    const rows = [
      ['GET /api/x', 'allowed'],
      ['GET /api', 'allowed'],
      ['GET /apix', 'unauthorized'],
      ['POST /api/x', 'unauthorized'],
      ['GET /admin', 'unauthorized'],
      ['GET /api/../admin', 'unauthorized'],
      ['GET //api/x', 'unauthorized'],
      ['GET /api/%2e%2e/admin', 'unauthorized'],
      ['bytes', 'unauthorized'],
    ] as const;
    for (const [traffic, expected] of rows)
      assert.equal(verdictOf(situation, asPod(frontend), traffic), expected, traffic);
    assert.equal(rows.length, 9);
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /api/x'), 'unauthorized');
  });

  it("the seed's next step: Server, HTTPRoute and AuthorizationPolicy; what no route matches is 404", () => {
    const situation = aSituation({
      port: 9000,
      servers: [aServer({ name: 'backend-admin', port: { kind: 'name', name: 'admin' } })],
      routes: [
        anHttpRoute({
          name: 'api',
          servers: ['backend-admin'],
          rules: [
            {
              matches: [
                {
                  method: 'GET',
                  path: { kind: 'prefix', value: '/api' },
                  headers: [{ name: 'x-tenant', kind: 'exact', value: 'blue' }],
                  queryParams: [],
                },
              ],
              filters: [],
            },
          ],
        }),
      ],
      authorizationPolicies: [
        anAuthorizationPolicy({
          name: 'api-for-frontend',
          target: { kind: 'HTTPRoute', name: 'api' },
          authentications: [
            { kind: 'MeshTLSAuthentication', namespace: 'demo', name: 'default-account' },
            { kind: 'NetworkAuthentication', namespace: 'demo', name: 'frontend-address' },
          ],
        }),
      ],
      meshTlsAuthentications: [
        aMeshTlsAuthentication({
          name: 'default-account',
          identities: [],
          identityRefs: [{ kind: 'ServiceAccount', namespace: 'demo', name: 'default' }],
        }),
      ],
      networkAuthentications: [
        aNetworkAuthentication({ name: 'frontend-address', networks: [networkOf('10.0.0.1')] }),
      ],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api/x x-tenant=blue'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api/x'), 'no-route');
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /api/x x-tenant=blue'), 'no-route');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /admin x-tenant=blue'), 'no-route');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /api/x x-tenant=blue'), 'unauthorized');
    assert.equal(verdictOf(situation, at('10.0.0.1'), 'GET /api/x x-tenant=blue'), 'unauthorized');
  });

  it('the policy is deleted and the next request is denied', () => {
    assert.equal(
      verdictOf(aSituation({ networkAuthenticationPolicies: [seed] }), asPod(frontend)),
      'allowed',
    );
    assert.equal(verdictOf(aSituation(), asPod(frontend)), 'unauthorized');
  });
});

describe('a row is a value', () => {
  it('is frozen, and equal for equal input in whatever order', () => {
    const situation = aSituation({
      networkAuthenticationPolicies: [
        seed,
        aNetworkAuthenticationPolicy({ name: 'a', sources: [{ podSelector: everything }] }),
      ],
      servers: [aServer({ name: 'b' }), aServer({ name: 'a' })],
    });
    const reversed = {
      ...situation,
      pods: situation.pods.toReversed(),
      networkAuthenticationPolicies: situation.networkAuthenticationPolicies.toReversed(),
      servers: situation.servers.toReversed(),
    };
    const row = compileSituation(situation);
    assert.deepEqual(compileSituation(reversed), row);
    assert(Object.isFrozen(row) && Object.isFrozen(row.server));
  });

  it('never holds an authorization without networks, which would void the whole server', () => {
    const situation = aSituation({
      pods: [backend],
      namespaces: [aNamespace({ name: 'demo' })],
      networkAuthenticationPolicies: [
        seed,
        aNetworkAuthenticationPolicy({ name: 'none', sources: [{ networks: [] }] }),
      ],
      cluster: { ...aSituation().cluster, defaultPolicy: 'cluster-authenticated', probeNetworks: [] },
    });
    assert.deepEqual(compileSituation(situation).server.authorizations, []);
  });
});
