import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { printProblem } from '@gatehouse/core/problem';
import { isRejected } from '@gatehouse/core/resources/kinds';
import { type KubeClient, openKubeClient } from '@gatehouse/platform/kube/client/client';
import { kindOf } from '@gatehouse/platform/kube/kind-table';
import { readObject } from '@gatehouse/platform/kube/read-object';
import {
  type RealApiServer,
  realApiServerAssets,
  startRealApiServer,
} from '@gatehouse/testing/real-api-server';
import { definitions } from './definitions.ts';
import { type Answer, create, installCrds } from './installed-crds.ts';

const { assets, skip } = realApiServerAssets();

type Case = readonly [kindAndVersion: string, spec: unknown];

const selector = { matchLabels: { app: 'web' } };
const server = { group: 'policy.linkerd.io', kind: 'Server', name: 'web' };
const nap = 'NetworkAuthenticationPolicy/v1alpha1';
const authn = (kind: string): object => ({ group: 'policy.linkerd.io', kind, name: 'a', namespace: 'b' });
const routeRule = (rule: object): object => ({ parentRefs: [server], rules: [rule] });

const good: readonly Case[] = [
  [nap, { target: { selector }, ports: [{ port: 8080 }], sources: [{ podSelector: selector }] }],
  [
    nap,
    {
      target: { selector: {} },
      ports: [{ port: 'http' }, { port: 80, endPort: 90 }],
      sources: [
        {
          podSelector: { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
          namespaceSelector: {},
          serviceAccounts: [{ name: 'a', namespace: 'b' }],
          identities: ['*', 'spiffe://a/b'],
          networks: [{ cidr: '10.0.0.0/8', except: ['10.1.0.0/16'] }],
        },
      ],
      rules: [
        {
          methods: ['GET'],
          paths: [{ type: 'PathPrefix', value: '/api' }],
          headers: [{ name: 'x', value: '' }],
        },
      ],
      mode: 'Audit',
      allowUnnormalizedPaths: true,
    },
  ],
  [nap, { target: { selector }, sources: [], rules: [] }],
  ['Server/v1alpha1', { podSelector: selector, port: 80 }],
  ['Server/v1beta1', { podSelector: {}, port: 'http', proxyProtocol: 'HTTP/2' }],
  ['Server/v1beta2', { externalWorkloadSelector: selector, port: 80, proxyProtocol: 'opaque' }],
  ['Server/v1beta3', { podSelector: selector, port: 80, accessPolicy: 'audit' }],
  ['ServerAuthorization/v1alpha1', { server: { name: 'web' }, client: { unauthenticated: true } }],
  [
    'ServerAuthorization/v1beta1',
    {
      server: { selector },
      client: {
        networks: [{ cidr: '10.0.0.0/8' }],
        meshTLS: { identities: ['*'], serviceAccounts: [{ name: 'a' }] },
      },
    },
  ],
  ['AuthorizationPolicy/v1alpha1', { targetRef: server, requiredAuthenticationRefs: [] }],
  [
    'AuthorizationPolicy/v1alpha1',
    {
      targetRef: { kind: 'Namespace', name: 'default' },
      requiredAuthenticationRefs: [authn('MeshTLSAuthentication'), authn('NetworkAuthentication')],
    },
  ],
  ['MeshTLSAuthentication/v1alpha1', { identities: ['*.a.b'] }],
  [
    'MeshTLSAuthentication/v1alpha1',
    { identityRefs: [{ kind: 'ServiceAccount', name: 'a', namespace: 'b' }] },
  ],
  ['NetworkAuthentication/v1alpha1', { networks: [{ cidr: '::/0', except: ['fd00::/8'] }] }],
  ...['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3'].map(
    (version): Case => [
      `HTTPRoute/${version}`,
      {
        parentRefs: [server],
        hostnames: ['*.a.example'],
        rules: [
          {
            matches: [
              {
                path: { type: 'RegularExpression', value: 'a.*' },
                method: 'GET',
                headers: [{ name: 'a', value: 'b' }],
              },
            ],
            filters: [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }],
            backendRefs: [{ name: 'a', port: 80, weight: 0 }],
            timeouts: { request: '10s', backendRequest: '500ms' },
          },
          {
            filters: [
              {
                type: 'RequestRedirect',
                requestRedirect: { path: { type: 'ReplaceFullPath', replaceFullPath: '/a' } },
              },
            ],
          },
        ],
      },
    ],
  ),
  [
    'HTTPLocalRateLimitPolicy/v1alpha1',
    {
      targetRef: server,
      total: { requestsPerSecond: 9 },
      identity: { requestsPerSecond: 9 },
      overrides: [{ requestsPerSecond: 1, clientRefs: [{ kind: 'ServiceAccount', name: 'a' }] }],
    },
  ],
  ['EgressNetwork/v1alpha1', { trafficPolicy: 'Deny', networks: [{ cidr: '1.1.1.1/32' }] }],
  ['ServiceProfile/v1alpha1', { routes: [] }],
  [
    'ServiceProfile/v1alpha2',
    {
      routes: [
        {
          name: 'a',
          condition: { any: [{ method: 'GET', not: { pathRegex: '/a' } }], not: { method: 'PUT' } },
          responseClasses: [{ condition: { status: { min: 500, max: 599 } }, isFailure: true }],
          timeout: '25s',
          isRetryable: true,
        },
      ],
      retryBudget: { retryRatio: 0.2, minRetriesPerSecond: 10, ttl: '10s' },
      dstOverrides: [
        { authority: 'a.b', weight: '500m' },
        { authority: 'c.d', weight: 1 },
      ],
      opaquePorts: ['3306'],
    },
  ],
  ['ExternalWorkload/v1alpha1', { meshTls: { identity: 'a.b', serverName: 'a.b' } }],
  [
    'ExternalWorkload/v1beta1',
    {
      meshTLS: { identity: 'spiffe://a/b', serverName: 'a.b' },
      ports: [{ port: 80, name: 'http' }],
      workloadIPs: [{ ip: '192.0.2.1' }, { ip: '2001:db8::1' }],
    },
  ],
];

const bad: readonly (readonly [...Case, message: RegExp])[] = [
  [nap, { sources: [] }, /spec\.target/],
  [nap, { target: { selector } }, /spec\.sources/],
  [nap, { target: { selector: { matchLabels: { app: true } } }, sources: [] }, /matchLabels\.app/],
  [nap, { target: { selector }, sources: [{}] }, /spec\.sources\[0\]/],
  [nap, { target: { selector }, sources: [null] }, /spec\.sources\[0\]/],
  [nap, { target: { selector }, sources: [], ports: [] }, /spec\.ports/],
  [nap, { target: { selector }, sources: [], ports: [{ port: '80' }] }, /spec\.ports\[0\]\.port/],
  [nap, { target: { selector }, sources: [], ports: [{ port: 65536 }] }, /spec\.ports\[0\]\.port/],
  [nap, { target: { selector }, sources: [], ports: [{ port: 9, endPort: 8 }] }, /endPort needs a number/],
  [nap, { target: { selector }, sources: [], ports: [{ port: 'a', endPort: 8 }] }, /endPort needs a number/],
  [nap, { target: { selector }, sources: [], rules: [{}] }, /spec\.rules\[0\]/],
  [nap, { target: { selector }, sources: [], mode: 'audit' }, /spec\.mode/],
  ['Server/v1beta3', { port: 80 }, /exactly one of podSelector and externalWorkloadSelector/],
  [
    'Server/v1beta3',
    { podSelector: {}, externalWorkloadSelector: {}, port: 80 },
    /exactly one of podSelector/,
  ],
  ['Server/v1beta3', { podSelector: {}, port: 80, accessPolicy: 'allow' }, /accessPolicy/],
  ['Server/v1alpha1', { port: 80 }, /podSelector/],
  ['ServerAuthorization/v1beta1', { server: {}, client: {} }, /exactly one of name and selector/],
  [
    'ServerAuthorization/v1beta1',
    { server: { name: 'a' }, client: { unauthenticated: true, meshTLS: { identities: ['*'] } } },
    /unauthenticated admits everybody/,
  ],
  [
    'ServerAuthorization/v1beta1',
    { server: { name: 'a' }, client: { meshTLS: { unauthenticatedTLS: true, identities: ['*'] } } },
    /unauthenticatedTLS admits everybody/,
  ],
  ['AuthorizationPolicy/v1alpha1', { targetRef: server }, /requiredAuthenticationRefs/],
  [
    'AuthorizationPolicy/v1alpha1',
    {
      targetRef: server,
      requiredAuthenticationRefs: [authn('MeshTLSAuthentication'), { kind: 'serviceaccount', name: 'a' }],
    },
    /at most one MeshTLSAuthentication or ServiceAccount/,
  ],
  [
    'AuthorizationPolicy/v1alpha1',
    {
      targetRef: server,
      requiredAuthenticationRefs: [authn('NetworkAuthentication'), authn('NetworkAuthentication')],
    },
    /at most one NetworkAuthentication/,
  ],
  ['MeshTLSAuthentication/v1alpha1', {}, /exactly one of identities and identityRefs/],
  ['MeshTLSAuthentication/v1alpha1', { identities: [] }, /spec\.identities/],
  [
    'MeshTLSAuthentication/v1alpha1',
    { identityRefs: [{ kind: 'Namespace', name: 'a', namespace: 'b' }] },
    /a Namespace is in no namespace/,
  ],
  ['NetworkAuthentication/v1alpha1', { networks: [] }, /spec\.networks/],
  ['HTTPRoute/v1beta3', routeRule({ matches: [{ path: { value: 'api' } }] }), /a path begins with \//],
  ['HTTPRoute/v1beta3', routeRule({ filters: [{ type: 'RequestRedirect' }] }), /the field that type names/],
  [
    'HTTPRoute/v1beta3',
    routeRule({ timeouts: { request: '1s', backendRequest: '2s' } }),
    /backendRequest is longer than request/,
  ],
  [
    'HTTPLocalRateLimitPolicy/v1alpha1',
    { targetRef: server, total: { requestsPerSecond: 1 }, identity: { requestsPerSecond: 2 } },
    /identity\.requestsPerSecond is above total/,
  ],
  [
    'HTTPLocalRateLimitPolicy/v1alpha1',
    {
      targetRef: server,
      total: { requestsPerSecond: 1 },
      overrides: [{ requestsPerSecond: 2, clientRefs: [] }],
    },
    /an override is above total/,
  ],
  ['HTTPLocalRateLimitPolicy/v1alpha1', { targetRef: server, total: { requestsPerSecond: 0 } }, /total/],
  ['EgressNetwork/v1alpha1', { trafficPolicy: 'Deny', networks: [] }, /spec\.networks/],
  [
    'ServiceProfile/v1alpha2',
    {
      routes: [
        { name: 'a', condition: {}, responseClasses: [{ condition: { status: { min: 500, max: 400 } } }] },
      ],
    },
    /max is below min/,
  ],
  ['ExternalWorkload/v1beta1', { meshTls: { identity: 'a', serverName: 'a' } }, /meshTLS/],
];

/** Each of these would open something if the API server dropped it on its way to the parser. */
const kept: readonly unknown[] = [
  { target: { selector }, sources: [], rule: [{ methods: ['GET'] }] },
  { target: { selector, selektor: {} }, sources: [], mode: 'Enforce' },
  { target: { selector: { matchLabels: {}, matchLabel: { app: 'web' } } }, sources: [] },
  { target: { selector: { matchLabels: { app: null } } }, sources: [], mode: 'Enforce' },
  { target: { selector }, sources: [{ namespaceSelector: {}, podselector: selector }] },
  { target: { selector }, sources: [{ namespaceSelector: {}, podSelector: null }] },
  { target: { selector }, sources: [{ identities: ['*'], networks: null }] },
  { target: { selector }, sources: [{ networks: [{ cidr: '10.0.0.0/8', exept: ['10.1.0.0/16'] }] }] },
  { target: { selector }, sources: [{ networks: [{ cidr: '10.0.0.0/8', except: null }] }] },
  { target: { selector }, sources: [], rules: null },
  {
    target: { selector },
    sources: [],
    rules: [{ methods: ['GET'], path: [{ type: 'Exact', value: '/a' }] }],
  },
  { target: { selector }, sources: [], rules: [{ methods: ['GET'], headers: null }] },
  { target: { selector }, sources: [], ports: [{ port: 80, endport: 90 }] },
  { target: { selector }, sources: [], ports: null },
  { target: null, sources: null },
];

/** What our parser has to say of an object as the API server gives it back, its defaults filled in. */
const problemsOf = (body: Answer['body']): readonly string[] => {
  const { apiVersion = '', kind: wireKind = '' } = body;
  const kind = kindOf(apiVersion.replace(/\/.*$/, ''), wireKind);
  if (kind === undefined) throw new TypeError(`${apiVersion} ${wireKind} has no parser`);
  const read = readObject(kind, { ...body });
  if (read.outcome !== 'read') return read.problems.map(printProblem);
  const { spec } = read.object;
  return [...(isRejected(spec) ? spec.rejected : []), ...read.warnings].map(printProblem);
};

suite('on a real API server', { skip }, () => {
  let apiServer: RealApiServer;
  let client: KubeClient;
  let installed: Awaited<ReturnType<typeof installCrds>>;
  let made = 0;

  before(async () => {
    apiServer = await startRealApiServer(assets);
    client = await openKubeClient({ kubeconfig: apiServer.kubeconfig });
    installed = await installCrds(client);
  });
  after(async () => {
    client?.close();
    await apiServer?.stop();
  });

  const post = ([kindAndVersion, spec]: Case): Promise<Answer> => {
    const [kind, version] = kindAndVersion.split('/');
    const definition = definitions.find((each) => each.kind === kind);
    if (definition === undefined) throw new TypeError(`no definition of ${kind}`);
    const { group, plural } = definition;
    made += 1;
    return create(client, `/apis/${group}/${version}/namespaces/default/${plural}`, {
      apiVersion: `${group}/${version}`,
      kind,
      metadata: { name: `case-${made}` },
      spec,
    });
  };

  test('every definition is taken, established, and structural', () => {
    for (const [file, { created, conditions }] of installed) {
      assert.equal(created.status, 201, `${file}: ${created.body.message}`);
      const state = Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
      assert.deepEqual(state, { NamesAccepted: 'True', Established: 'True' }, file);
    }
    assert.equal(installed.size, 11);
  });

  test('good objects of every kind and version are taken, and read by their parsers', async () => {
    const seen = new Set<string>();
    for (const each of good) {
      const { status, body } = await post(each);
      assert.equal(status, 201, `${JSON.stringify(each)}: ${body.message}`);
      // A client is warned of what its object loses on the way to the stored version.
      const lost = each[0] === 'ExternalWorkload/v1alpha1' ? 2 : 0;
      assert.equal(problemsOf(body).length, lost, `${JSON.stringify(each)}: ${problemsOf(body)}`);
      seen.add(each[0]);
    }
    const all = definitions.flatMap(({ kind, versions }) => versions.map(({ name }) => `${kind}/${name}`));
    assert.deepEqual([...seen].sort(), all.sort());
  });

  test('bad objects are refused, with a message that names the mistake', async () => {
    for (const [kindAndVersion, spec, message] of bad) {
      const { status, body } = await post([kindAndVersion, spec]);
      assert.equal(status, 422, `${kindAndVersion} ${JSON.stringify(spec)} was taken`);
      assert.match(body.message ?? '', message, JSON.stringify(spec));
    }
    assert.equal(bad.length, 35);
  });

  test('what is written in a NetworkAuthenticationPolicy is kept at every level, and rejected by its parser', async () => {
    for (const spec of kept) {
      const { status, body } = await post([nap, spec]);
      assert.equal(status, 201, `${JSON.stringify(spec)}: ${body.message}`);
      assert.deepEqual(body.spec, { mode: 'Enforce', ...(spec as object) });
      assert.notDeepEqual(problemsOf(body), [], JSON.stringify(spec));
    }
    assert.equal(kept.length, 15);
  });

  test('a Server that leaves it to the defaults denies', async () => {
    const { body } = await post(['Server/v1beta3', { podSelector: {}, port: 80 }]);
    assert.deepEqual(body.spec, {
      podSelector: {},
      port: 80,
      proxyProtocol: 'unknown',
      accessPolicy: 'deny',
    });
  });
});
