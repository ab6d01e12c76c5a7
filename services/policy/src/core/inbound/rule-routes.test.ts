import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpRoute, Meta } from '@gatehouse/core/inbound/inbound-server';
import { isUnnormalizedPath, unnormalizedPath } from '@gatehouse/core/inbound/unnormalized-path';
import { everything } from '@gatehouse/core/label-selector';
import type { NetworkAuthenticationPolicySpec, PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { checkProxyRegex, matchesWhole } from '@gatehouse/platform/kube/parse/proxy-regex';
import { aNetworkAuthenticationPolicy, aServer, labelled } from '@gatehouse/testing/builders';
import { pathPieces } from '@gatehouse/testing/path-readers';
import fc from 'fast-check';
import { compileSituation } from '../../../testing/compile-situation.ts';
import { isUnnormalized } from '../../../testing/decide/requests.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { aSituation, asPod, at, backend, frontend, intruder, verdictOf } from '../../../testing/situation.ts';

const prefix = (value: string) => ({ kind: 'prefix', value }) as const;
const exact = (value: string) => ({ kind: 'exact', value }) as const;

const policy = (
  name: string,
  rules: readonly PolicyRule[],
  said: Partial<NetworkAuthenticationPolicySpec & { createdAt: number }> = {},
) =>
  aNetworkAuthenticationPolicy({
    name,
    rules,
    ports: 'all',
    sources: [{ podSelector: labelled({ app: 'frontend' }) }],
    ...said,
  });

const forIntruder = { sources: [{ podSelector: labelled({ app: 'intruder' }) }] };

const ruled = (...networkAuthenticationPolicies: Situation['networkAuthenticationPolicies']): Situation =>
  aSituation({ networkAuthenticationPolicies });

const nameOf = (meta: Meta): string =>
  meta.kind === 'default' ? meta.name : `${meta.resource.kind}/${meta.resource.name}`;

/** The list as the proxy gets it: route, match, how many authorizations. */
const listOf = (situation: Situation): readonly string[] => {
  const { protocol } = compileSituation(situation).server;
  assert('routes' in protocol);
  return protocol.routes.map(({ meta, authorizations, rules }) => {
    const [match, ...more] = (rules as HttpRoute['rules']).flatMap(({ matches }) => matches);
    assert(match !== undefined && more.length === 0, 'one route per match');
    const parts = [
      match.method,
      match.path?.kind === 'regex' ? 'regex' : match.path && `${match.path.kind} ${match.path.value}`,
    ];
    const headers = match.headers.map(({ name, value }) => `${name}=${value}`);
    return `${nameOf(meta)}: ${[...parts, ...headers].filter(Boolean).join(' ')} (${authorizations.length})`;
  });
};

describe('rules become routes', () => {
  it('guard first, one route per match, what nobody mentioned last', () => {
    const situation = ruled(policy('p', [{ methods: ['GET', 'HEAD'], paths: [prefix('/api')] }]));
    assert.deepEqual(listOf(situation), [
      'unnormalized-path: regex (0)',
      'networkauthenticationpolicy/p: GET prefix /api (1)',
      'networkauthenticationpolicy/p: HEAD prefix /api (1)',
      'default: prefix / (0)',
    ]);
  });

  it('rules that name no path need no guard', () => {
    assert.deepEqual(listOf(ruled(policy('p', [{ methods: ['GET'] }]))), [
      'networkauthenticationpolicy/p: GET (1)',
      'default: prefix / (0)',
    ]);
  });

  it('where rules of two policies meet, their conjunction carries both, and comes first', () => {
    const situation = ruled(
      policy('a', [{ paths: [prefix('/api')] }]),
      policy('b', [{ methods: ['GET'] }], forIntruder),
    );
    assert.deepEqual(listOf(situation), [
      'unnormalized-path: regex (0)',
      'rules: GET prefix /api (2)',
      'networkauthenticationpolicy/a: prefix /api (1)',
      'networkauthenticationpolicy/b: GET (1)',
      'default: prefix / (0)',
    ]);
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /api/x'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api/x'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /'), 'unauthorized');
    assert.equal(verdictOf(situation, asPod(intruder), 'POST /api/x'), 'unauthorized');
  });

  it('equal matches are one, with the authorizations of both; Exact comes before Prefix', () => {
    const situation = ruled(
      policy('a', [{ paths: [prefix('/api/'), exact('/api')] }]),
      policy('b', [{ paths: [prefix('/api')] }], forIntruder),
    );
    assert.deepEqual(listOf(situation), [
      'unnormalized-path: regex (0)',
      'rules: prefix /api (2)',
      'default: prefix / (0)',
    ]);
    const exactly = ruled(
      policy('a', [{ paths: [exact('/api')] }]),
      policy('b', [{ paths: [prefix('/api')] }], forIntruder),
    );
    assert.deepEqual(listOf(exactly).slice(1, 3), [
      'rules: exact /api (2)',
      'networkauthenticationpolicy/b: prefix /api (1)',
    ]);
  });

  it('three ways to meet are closed to a fixpoint', () => {
    const header = (name: string, value: string): PolicyRule => ({ headers: [{ name, value }] });
    const situation = ruled(
      policy('a', [header('x-a', '1')]),
      policy('b', [header('X-B', '1')]),
      policy('c', [header('x-c', '1')]),
    );
    assert.deepEqual(listOf(situation), [
      'rules: x-a=1 x-b=1 x-c=1 (3)',
      'rules: x-a=1 x-b=1 (2)',
      'rules: x-a=1 x-c=1 (2)',
      'rules: x-b=1 x-c=1 (2)',
      'networkauthenticationpolicy/a: x-a=1 (1)',
      'networkauthenticationpolicy/b: x-b=1 (1)',
      'networkauthenticationpolicy/c: x-c=1 (1)',
      'default: prefix / (0)',
    ]);
  });

  it('alternatives of one policy meet only through another policy', () => {
    const header = (name: string): PolicyRule => ({ headers: [{ name, value: '1' }] });
    const situation = ruled(
      policy('a', [
        header('x-a'),
        {
          headers: [
            { name: 'x-b', value: '1' },
            { name: 'x-c', value: '1' },
          ],
        },
      ]),
      policy('b', [header('x-a')], forIntruder),
    );
    assert.deepEqual(listOf(situation), [
      'rules: x-a=1 x-b=1 x-c=1 (2)',
      'rules: x-a=1 (2)',
      'networkauthenticationpolicy/a: x-b=1 x-c=1 (1)',
      'default: prefix / (0)',
    ]);
    assert.equal(verdictOf(situation, asPod(intruder), 'GET / x-a=1 x-b=1 x-c=1'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET / x-b=1 x-c=1'), 'unauthorized');
  });

  it('two values of one header may both be sent', () => {
    const tenant = (value: string): PolicyRule => ({ headers: [{ name: 'x-tenant', value }] });
    const situation = ruled(policy('a', [tenant('blue')]), policy('b', [tenant('red')], forIntruder));
    assert.equal(verdictOf(situation, asPod(intruder), 'GET / x-tenant=blue x-tenant=red'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET / x-tenant=blue x-tenant=red'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET / x-tenant=blue'), 'unauthorized');
  });

  it('no rules admit nobody, but who is granted everything keeps it', () => {
    const situation = ruled(policy('none', []));
    assert.equal(verdictOf(situation, asPod(frontend)), 'unauthorized');
    const open = ruled(policy('none', []), aNetworkAuthenticationPolicy({ name: 'open' }));
    assert.equal(verdictOf(open, asPod(frontend)), 'allowed');
  });

  it('rules admit no bytes that are not HTTP, a policy without rules does', () => {
    const situation = ruled(policy('p', [{ methods: ['GET'] }]));
    assert.equal(verdictOf(situation, asPod(frontend), 'bytes'), 'unauthorized');
    assert.equal(verdictOf(ruled(aNetworkAuthenticationPolicy()), asPod(frontend), 'bytes'), 'allowed');
  });

  it('deleting one of two policies leaves what the other admits', () => {
    const a = policy('a', [{ paths: [prefix('/api')] }]);
    const b = policy('b', [{ methods: ['GET'] }], forIntruder);
    assert.equal(verdictOf(ruled(a, b), asPod(intruder), 'GET /api'), 'allowed');
    assert.equal(verdictOf(ruled(a), asPod(intruder), 'GET /api'), 'unauthorized');
    assert.equal(verdictOf(ruled(a), asPod(frontend), 'GET /api'), 'allowed');
  });
});

describe('paths that others may read differently', () => {
  const rows: readonly (readonly [string, boolean])[] = [
    ['/api/../admin', true],
    ['/api/..', true],
    ['/api/.', true],
    ['/./api', true],
    ['/api//x', true],
    ['//api', true],
    ['/api\\x', true],
    ['/api;v=1', true],
    ['/api%2fx', true],
    ['/api%2Fx', true],
    ['/api/%2e%2e/admin', true],
    ['/api/%2E', true],
    ['/api%5cx', true],
    ['/api%3Bx', true],
    ['/api%00', true],
    ['/api/%u002e%u002e/admin', true],
    ['/api/%c0%ae%c0%ae/admin', true],
    ['/api/.%09./admin', true],
    ['/api/.%%32%65/admin', true],
    ['/api/%ef%bc%8e%ef%bc%8e/admin', true],
    ['/api/..%ef%bc%8fadmin', true],
    ['/api', false],
    ['/api/', false],
    ['/api/...', false],
    ['/api/.hidden', false],
    ['/api/a..b', false],
    ['/api/x%20y', false],
    ['/api/%252e', true],
    ['/', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 29));
  const situation = ruled(policy('p', [{ paths: [prefix('/')] }]));
  for (const [path, guarded] of rows) {
    it(`${path} is ${guarded ? 'refused' : 'allowed'} by rules that name paths`, () => {
      assert.equal(matchesWhole(unnormalizedPath, path), guarded);
      assert.equal(
        verdictOf(situation, asPod(frontend), `GET ${path}`),
        guarded ? 'unauthorized' : 'allowed',
      );
    });
  }

  it('the guard finds what the oracle finds, in random paths', () => {
    const path = fc
      .array(fc.constantFrom(...pathPieces), { maxLength: 8 })
      .map((pieces) => `/${pieces.join('')}`);
    fc.assert(
      fc.property(path, (raw) => {
        const expected = isUnnormalized(raw);
        assert.deepEqual(
          [matchesWhole(unnormalizedPath, raw), isUnnormalizedPath(raw)],
          [expected, expected],
        );
      }),
      { numRuns: 3_000 },
    );
  });

  it('the guard is one that the proxy understands', () => assert(checkProxyRegex(unnormalizedPath).ok));

  it('a query is not a valid path', () => {
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api?next=//x/../y;z'), 'allowed');
  });

  it('who is granted everything may send them', () => {
    const open = ruled(
      policy('p', [{ paths: [prefix('/')] }]),
      aNetworkAuthenticationPolicy({ name: 'open' }),
    );
    assert.equal(verdictOf(open, asPod(frontend), 'GET //x'), 'allowed');
  });

  it('allowUnnormalizedPaths counts only if every policy with rules sets it', () => {
    const allows = (name: string, allowUnnormalizedPaths: boolean) =>
      policy(name, [{ paths: [prefix('/')] }], { allowUnnormalizedPaths });
    assert.equal(
      verdictOf(ruled(allows('a', true), allows('b', true)), asPod(frontend), 'GET //x'),
      'allowed',
    );
    assert.equal(
      verdictOf(ruled(allows('a', true), allows('b', false)), asPod(frontend), 'GET //x'),
      'unauthorized',
    );
  });
});

describe('a port has at most 256 matches', () => {
  const many = (count: number): PolicyRule => ({
    paths: Array.from({ length: count }, (_, index) => exact(`/path-${index}`)),
  });
  const leftOut = (situation: Situation): readonly string[] =>
    compileSituation(situation).findings.flatMap(({ reason, about }) =>
      reason === 'TooManyMatches' && 'name' in about ? [about.name] : [],
    );

  it('the newest policies grant nothing there, and are told so', () => {
    const situation = ruled(
      policy('new', [{ paths: [prefix('/new')] }], { createdAt: 3 }),
      policy('newer', [{ paths: [prefix('/newer')] }], { createdAt: 4 }),
      policy('old', [many(253)], { createdAt: 1 }),
    );
    assert.deepEqual(leftOut(situation), ['newer']);
    assert.equal(listOf(situation).length, 256);
    // The oracle knows no limit, so these are asked of the row alone.
    const { contributions } = compileSituation(situation);
    assert.deepEqual(
      contributions.map(({ object, effect }) => `${object.name} ${effect.kind}`),
      ['old closes', 'old grants-requests', 'new closes', 'new grants-requests', 'newer closes'],
    );
  });

  it('independent header conditions multiply', () => {
    const conditions = Array.from({ length: 9 }, (_, index) =>
      policy(`p${index}`, [{ headers: [{ name: `x-${index}`, value: '1' }] }], { createdAt: index }),
    );
    assert.deepEqual(leftOut(ruled(...conditions)), ['p8']);
    assert.equal(listOf(ruled(...conditions)).length, 256);
  });

  it('but not those of one policy, which grant the same', () => {
    const rules = Array.from({ length: 9 }, (_, index) => ({
      headers: [{ name: `x-${index}`, value: '1' }],
    }));
    assert.deepEqual(leftOut(ruled(policy('p', rules))), []);
    assert.equal(listOf(ruled(policy('p', rules))).length, 10);
  });

  it('alternatives that a coarser one covers do not count', () => {
    const situation = ruled(policy('p', [many(300), { paths: [prefix('/')] }]));
    assert.deepEqual(leftOut(situation), []);
    assert.equal(listOf(situation).length, 3);
  });

  it('thousands of alternatives are too many, at once', () => {
    const methods = Array.from({ length: 1_000 }, (_, index) => `M${index}`);
    const situation = ruled(policy('p', [{ ...many(1_000), methods }]));
    assert.deepEqual(leftOut(situation), ['p']);
    assert.deepEqual(listOf(situation), ['unnormalized-path: regex (0)', 'default: prefix / (0)']);
  });

  it('the same on another port has room of its own', () => {
    const crowded = policy('crowded', [many(253)], {
      createdAt: 1,
      ports: [{ kind: 'range', first: 8080, last: 8080 }],
    });
    const both = [
      policy('a', [{ methods: ['GET'] }], { createdAt: 2 }),
      policy('b', [{ methods: ['PUT'] }], { createdAt: 3 }),
    ];
    assert.deepEqual(leftOut(ruled(crowded, ...both)), ['a', 'b']);
    assert.deepEqual(leftOut({ ...ruled(crowded, ...both), port: 9000 }), []);
  });
});

describe('on a gRPC Server rules speak of calls', () => {
  const grpc = (...rules: readonly PolicyRule[]): Situation => ({
    ...ruled(policy('p', rules)),
    servers: [aServer({ proxyProtocol: 'gRPC' })],
  });
  const rows: readonly (readonly [string, PolicyRule, string, boolean])[] = [
    ['Exact /service/method', { paths: [exact('/p.S/M')] }, 'POST /p.S/M', true],
    ['Exact /service/method, another', { paths: [exact('/p.S/M')] }, 'POST /p.S/N', false],
    ['PathPrefix /service', { paths: [prefix('/p.S')] }, 'POST /p.S/N', true],
    ['PathPrefix /service/', { paths: [prefix('/p.S/')] }, 'POST /p.S/N', true],
    ['PathPrefix /service, another', { paths: [prefix('/p.S')] }, 'POST /p.T/N', false],
    ['PathPrefix /service is whole segments', { paths: [prefix('/p')] }, 'POST /p.S/N', false],
    ['PathPrefix /service/method', { paths: [prefix('/p.S/M')] }, 'POST /p.S/M', true],
    ['PathPrefix /', { paths: [prefix('/')] }, 'POST /p.S/M', true],
    ['absent paths: every method', { methods: ['POST'] }, 'POST /p.S/M', true],
    ['absent methods: POST', { paths: [prefix('/p.S')] }, 'GET /p.S/M', false],
    ['methods without POST', { methods: ['GET'] }, 'POST /p.S/M', false],
    ['Exact /service', { paths: [exact('/p.S')] }, 'POST /p.S/M', false],
    ['Exact /service/ names no method', { paths: [exact('/p.S/')] }, 'POST /p.S/', false],
    ['three segments', { paths: [exact('/p.S/M/x')] }, 'POST /p.S/M', false],
    ['headers', { headers: [{ name: 'x-a', value: '1' }] }, 'POST /p.S/M x-a=1', true],
    ['headers, absent', { headers: [{ name: 'x-a', value: '1' }] }, 'POST /p.S/M', false],
  ];
  it('covers the table', () => assert.equal(rows.length, 16));
  for (const [title, rule, traffic, admitted] of rows) {
    it(`${title}: ${traffic} is ${admitted ? 'allowed' : 'refused'}`, () => {
      assert.equal(verdictOf(grpc(rule), asPod(frontend), traffic), admitted ? 'allowed' : 'unauthorized');
    });
  }

  it('rules of several policies are a union there too', () => {
    const situation = {
      ...grpc({ paths: [prefix('/p.S')] }),
      networkAuthenticationPolicies: [
        policy('a', [{ paths: [prefix('/p.S')] }]),
        policy('b', [{ paths: [exact('/p.S/M')] }], forIntruder),
      ],
    };
    assert.equal(verdictOf(situation, asPod(frontend), 'POST /p.S/M'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'POST /p.S/M'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'POST /p.S/N'), 'unauthorized');
  });

  it('a rule that no call can match is reported', () => {
    const { findings } = compileSituation(grpc({ methods: ['GET'] }, { methods: ['POST'] }));
    assert.deepEqual(
      findings.map(({ reason }) => reason),
      ['RuleNeverMatches'],
    );
    assert.deepEqual(compileSituation(grpc({ methods: ['POST'] })).findings, []);
  });
});

describe('a probe under rules', () => {
  const probed = {
    ...backend,
    spec: { ...backend.spec, probes: [{ kind: 'http', port: 8080, path: '/api/live' }] },
  } as const;
  const kubelet = at('192.168.0.1');

  it('stays open, and denies nobody whom a rule admits', () => {
    const situation = { ...ruled(policy('p', [{ paths: [prefix('/api')] }])), target: probed };
    assert.equal(verdictOf(situation, kubelet, 'GET /api/live'), 'allowed');
    assert.equal(verdictOf(situation, kubelet, 'POST /api/live'), 'unauthorized');
    assert.equal(verdictOf(situation, kubelet, 'GET /api/live/x'), 'unauthorized');
    assert.deepEqual(listOf(situation), [
      'unnormalized-path: regex (0)',
      'probe: GET exact /api/live (2)',
      'networkauthenticationpolicy/p: prefix /api (1)',
      'default: prefix / (0)',
    ]);
    const narrow = { ...situation, cluster: { ...situation.cluster, probeNetworks: [] } };
    assert.equal(verdictOf(narrow, kubelet, 'GET /api/live'), 'unauthorized');
    assert.equal(verdictOf(narrow, asPod(frontend), 'GET /api/live'), 'allowed');
    assert.deepEqual(
      compileSituation(narrow).findings.map(({ reason }) => reason),
      ['ProbeNotOpened'],
    );
  });

  it('of an unnormalised path is open, and opens it to no rule', () => {
    const odd = {
      ...probed,
      spec: { ...probed.spec, probes: [{ kind: 'http', port: 8080, path: '/api//live' }] },
    } as const;
    const situation = {
      ...ruled(policy('p', [{ paths: [prefix('/api')] }])),
      target: odd,
      cluster: { ...aSituation().cluster, probeNetworks: aNetworkOf('192.168.0.1') },
    };
    assert.equal(verdictOf(situation, kubelet, 'GET /api//live'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api//live'), 'unauthorized');
  });

  it('everything is a rule like another', () => {
    const situation = {
      ...ruled(policy('p', [{ methods: ['GET'] }], { target: everything })),
      target: probed,
    };
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api/live'), 'allowed');
  });
});

function aNetworkOf(address: string): Situation['cluster']['probeNetworks'] {
  const { client } = at(address);
  return [{ net: { ...client, prefix: 32 }, except: [] }];
}

it('policies that write the same matches do not multiply them', () => {
  const rules = Array.from({ length: 7 }, (_, at) => ({ headers: [{ name: `x-${at}`, value: '1' }] }));
  const many = Array.from({ length: 500 }, (_, at) =>
    policy(`p${at}`, [...rules, { paths: [exact(`/${at % 2}`)] }]),
  );
  // Seven headers, two paths, each header on each path; the guard and the rest.
  assert.equal(listOf(ruled(...many)).length, 7 + 2 + 14 + 2);
  assert.deepEqual(compileSituation(ruled(...many)).findings, []);
});
