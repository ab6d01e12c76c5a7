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
  aPod,
  aRejected,
  aServer,
  labelled,
} from '@gatehouse/testing/builders';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
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
const findings = (situation: Situation): readonly string[] =>
  compileSituation(situation).findings.map(
    ({ reason, about }) => `${reason} ${'name' in about ? about.name : about.kind}`,
  );

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

describe('what governs a port', () => {
  const open = {
    target: {
      ...backend,
      meta: {
        ...backend.meta,
        annotations: { 'config.linkerd.io/default-inbound-policy': 'all-unauthenticated' },
      },
    },
  };
  const stranger = at('192.0.2.1');

  it('an Enforce policy makes deny the base of the ports it selects, and of no other', () => {
    const situation = aSituation({ ...open, networkAuthenticationPolicies: [seed] });
    assert.equal(verdictOf(situation, stranger), 'unauthorized');
    assert.equal(verdictOf({ ...situation, port: 9000 }, stranger), 'allowed');
    assert.equal(verdictOf(aSituation(open), stranger), 'allowed');
  });

  it('an Audit policy grants nothing and closes nothing', () => {
    const audited = aNetworkAuthenticationPolicy({ mode: 'Audit' });
    assert.equal(
      verdictOf(aSituation({ ...open, networkAuthenticationPolicies: [audited] }), stranger),
      'allowed',
    );
    assert.equal(
      verdictOf(aSituation({ networkAuthenticationPolicies: [audited] }), asPod(frontend)),
      'unauthorized',
    );
  });

  it('a policy with empty sources closes and admits nobody', () => {
    const empty = aNetworkAuthenticationPolicy({ sources: [] });
    assert.equal(
      verdictOf(aSituation({ ...open, networkAuthenticationPolicies: [empty] }), stranger),
      'unauthorized',
    );
  });

  it('policies for all ports leave the proxy its own', () => {
    const all = aNetworkAuthenticationPolicy({ ports: 'all' });
    for (const [port, expected] of [
      [8080, 'unauthorized'],
      [4143, 'allowed'],
      [4190, 'allowed'],
      [4191, 'allowed'],
    ] as const) {
      assert.equal(
        verdictOf(aSituation({ ...open, port, networkAuthenticationPolicies: [all] }), stranger),
        expected,
      );
    }
  });

  it('a Server takes over from default and policies: its accessPolicy opens, and the policy is told so', () => {
    const situation = aSituation({
      networkAuthenticationPolicies: [seed],
      servers: [aServer({ accessPolicy: 'all-unauthenticated' })],
    });
    assert.equal(verdictOf(situation, stranger), 'allowed');
    assert.deepEqual(findings(situation), ['OpenedByServer frontend-can-talk-to-backend']);
    const { governedBy, server } = compileSituation(situation);
    assert.deepEqual(governedBy, {
      kind: 'server',
      server: { kind: 'Server', namespace: 'demo', name: 'a' },
      base: 'all-unauthenticated',
    });
    assert.deepEqual(server.meta, {
      kind: 'resource',
      resource: { group: 'policy.linkerd.io', kind: 'server', name: 'a' },
    });
  });

  it('a Server that denies is joined by the grants of policies', () => {
    const situation = aSituation({ networkAuthenticationPolicies: [seed], servers: [aServer()] });
    assert.equal(verdictOf(situation, asPod(frontend)), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder)), 'unauthorized');
    assert.deepEqual(findings(situation), []);
  });

  it('while a manifest is unreadable, nothing is open that is not granted', () => {
    const unread = { ...open, unreadableManifests: 'some' } as const;
    assert.equal(verdictOf(aSituation(unread), stranger), 'unauthorized');
    assert.deepEqual(compileSituation(aSituation(unread)).governedBy, { kind: 'unreadable-manifest' });
    const opened = { ...unread, servers: [aServer({ accessPolicy: 'all-unauthenticated' })] };
    assert.equal(verdictOf(aSituation(opened), stranger), 'unauthorized');
    const granted = { ...unread, networkAuthenticationPolicies: [seed] };
    assert.equal(verdictOf(aSituation(granted), asPod(frontend)), 'allowed');
  });

  it('a rejected policy closes what it still names and grants nothing', () => {
    const rejected = aRejected('NetworkAuthenticationPolicy', {
      name: 'broken',
      closes: { selector: labelled({ app: 'backend' }), ports: [{ kind: 'range', first: 8080, last: 8080 }] },
    });
    const situation = aSituation({ ...open, networkAuthenticationPolicies: [rejected] });
    assert.equal(verdictOf(situation, stranger), 'unauthorized');
    assert.equal(verdictOf({ ...situation, port: 9000 }, stranger), 'allowed');
    assert.deepEqual(findings(situation), ['Rejected broken']);
    const opened = { ...situation, servers: [aServer({ accessPolicy: 'all-unauthenticated' })] };
    assert.equal(verdictOf(opened, stranger), 'unauthorized');
    const others = { ...situation, networkAuthenticationPolicies: [seed, rejected] };
    assert.equal(verdictOf(others, asPod(frontend)), 'allowed');
  });

  it('a rejected policy whose ports nobody can read closes also the ports of the proxy', () => {
    const rejected = aRejected('NetworkAuthenticationPolicy', {
      closes: { selector: everything, ports: 'all' },
    });
    assert.equal(
      verdictOf(aSituation({ ...open, port: 4191, networkAuthenticationPolicies: [rejected] }), stranger),
      'unauthorized',
    );
  });

  it('a rejected Server keeps its place with deny, and what is granted through it is void', () => {
    const closes = { selector: everything, ports: [{ kind: 'range', first: 8080, last: 8080 } as const] };
    const rejected = aRejected('Server', { name: 'a', closes });
    const younger = aServer({ name: 'b', createdAt: 1, accessPolicy: 'all-unauthenticated' });
    const situation = aSituation({
      ...open,
      servers: [younger, rejected],
      authorizationPolicies: [anAuthorizationPolicy({ name: 'everybody', authentications: [] })],
    });
    assert.equal(verdictOf(situation, stranger), 'unauthorized');
    assert.deepEqual(findings(situation), ['Rejected a', 'Overlapped b', 'TargetRejected everybody']);
    const granted = { ...situation, networkAuthenticationPolicies: [seed] };
    assert.equal(verdictOf(granted, asPod(frontend)), 'allowed');
  });
});

describe('what the row says of objects without effect', () => {
  it('a port that no proxy guards', () => {
    const skipped = aPod({
      ...backend.spec,
      name: 'backend',
      labels: { app: 'backend' },
      annotations: { 'config.linkerd.io/skip-inbound-ports': '25,8000-8100' },
    });
    const situation = aSituation({ target: skipped, networkAuthenticationPolicies: [seed] });
    assert.deepEqual(findings(situation), ['Unenforced frontend-can-talk-to-backend']);
    const elsewhere = aNetworkAuthenticationPolicy({ ports: [{ kind: 'name', name: 'admin' }] });
    assert.deepEqual(
      findings(aSituation({ target: skipped, port: 9000, networkAuthenticationPolicies: [elsewhere] })),
      [],
    );
  });

  it('an unreadable default', () => {
    const target = aPod({ annotations: { 'config.linkerd.io/default-inbound-policy': 'dney' } });
    const situation = aSituation({ target });
    assert.equal(verdictOf(situation, at('192.0.2.1')), 'unauthorized');
    assert.deepEqual(findings(situation), ['UnreadableDefault workload']);
  });

  it('HTTPS probes and hooks, which nothing keeps open', () => {
    const unopened = [
      { kind: 'https-probe', port: 8080, path: '/live' },
      { kind: 'hook', port: 8080, path: '/drain' },
      { kind: 'hook', port: 9000, path: '/elsewhere' },
    ] as const;
    const target = { ...backend, spec: { ...backend.spec, unopened } };
    const situation = aSituation({ target });
    assert.equal(verdictOf(situation, at('192.0.2.1'), 'GET /drain'), 'unauthorized');
    assert.deepEqual(findings(situation), ['ProbeNotOpened workload', 'HookNotOpened workload']);
    const open = [aServer({ accessPolicy: 'all-unauthenticated' })];
    assert.deepEqual(findings({ ...situation, servers: open }), []);
  });

  it('rules on an opaque port, and its probes', () => {
    const ruled = aNetworkAuthenticationPolicy({ name: 'rules', rules: [{ methods: ['GET'] }] });
    const situation = aSituation({
      target: {
        ...backend,
        spec: { ...backend.spec, probes: [{ kind: 'http', port: 8080, path: '/healthz' }] },
      },
      networkAuthenticationPolicies: [ruled],
      servers: [aServer({ proxyProtocol: 'opaque' })],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /'), 'unauthorized');
    assert.deepEqual(findings(situation), ['RulesNeedHTTP rules', 'ProbeNotOpened workload']);
    const open = [aServer({ proxyProtocol: 'opaque', accessPolicy: 'all-unauthenticated' })];
    assert.deepEqual(findings({ ...situation, servers: open }), [
      'OpenedByServer rules',
      'RulesNeedHTTP rules',
    ]);
  });

  it('rules beside an attached route, which decides alone', () => {
    const ruled = aNetworkAuthenticationPolicy({ name: 'rules', rules: [{ methods: ['GET'] }] });
    const situation = aSituation({
      networkAuthenticationPolicies: [ruled],
      servers: [aServer()],
      routes: [anHttpRoute({ rules: [{ matches: [], filters: [] }] })],
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /'), 'unauthorized');
    assert.deepEqual(findings(situation), ['RoutesAttached rules']);
    assert.equal(verdictOf({ ...situation, routes: [] }, asPod(frontend), 'GET /'), 'allowed');
  });
});

describe('the contributions name every object and what it does', () => {
  it('in the order in which they count', () => {
    const situation = aSituation({
      servers: [aServer()],
      networkAuthenticationPolicies: [
        seed,
        aNetworkAuthenticationPolicy({ name: 'rules', rules: [{ methods: ['GET'] }] }),
        aRejected('NetworkAuthenticationPolicy', { name: 'broken' }),
      ],
      authorizationPolicies: [
        anAuthorizationPolicy({ name: 'everybody', target: { kind: 'Namespace' }, authentications: [] }),
      ],
    });
    const said = compileSituation(situation).contributions.map(
      ({ object, effect }) => `${object.name} ${effect.kind}`,
    );
    assert.deepEqual(said, [
      'a governs',
      'broken closes',
      'frontend-can-talk-to-backend grants',
      'rules grants-requests',
      'everybody grants',
    ]);
  });

  it('a policy without a Server closes and grants', () => {
    const { contributions } = compileSituation(aSituation({ networkAuthenticationPolicies: [seed] }));
    assert.deepEqual(
      contributions.map(({ effect }) => effect.kind),
      ['closes', 'grants'],
    );
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
