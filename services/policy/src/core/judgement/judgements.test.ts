import assert from 'node:assert/strict';
import test from 'node:test';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { PolicySource } from '@gatehouse/core/resources/kinds/gatehouse';
import {
  aMeshTlsAuthentication,
  aNamespace,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anExternalWorkload,
  anHttpRoute,
  aPod,
  aRateLimit,
  aRejected,
  aServer,
  aServerAuthorization,
  aServiceAccount,
  labelled,
} from '@gatehouse/testing/builders';

import { JudgedMesh } from '../../../testing/judged-mesh.ts';
import type { Judged } from './judgement.ts';

const http = [{ name: 'http', port: 8080 }];
const backend = aPod({ name: 'backend-0', labels: { app: 'backend' }, ports: http });
const frontend = aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: ['10.0.0.7'] });
const place = [aNamespace(), aServiceAccount(), backend, frontend];
const policy = aNetworkAuthenticationPolicy;
const range = (port: number) => ({ kind: 'range', first: port, last: port }) as const;
const from = (source: PolicySource) => policy({ sources: [source] });

/** Of one object beside the others: its state and why, as `saidOf` writes it. */
const cases: readonly (readonly [string, KubeObject, readonly KubeObject[], string])[] = [
  ['the policy of the first page', policy(), [], 'Enforced'],
  [
    'a rollout that leaves a pod without a proxy behind',
    policy(),
    [aPod({ name: 'backend-old', labels: { app: 'backend' }, ports: http, meshed: false, deletedAt: 1 })],
    'Enforced',
  ],
  [
    'the same pod before it is deleted',
    policy(),
    [aPod({ name: 'backend-old', labels: { app: 'backend' }, ports: http, meshed: false })],
    'PartlyEnforced, TargetUnmeshed spec.target.selector',
  ],
  [
    'a rollout of clients that leaves pods without a proxy behind',
    policy(),
    [
      aPod({ name: 'frontend-old', labels: { app: 'frontend' }, meshed: false, deletedAt: 1 }),
      aPod({ name: 'frontend-host', labels: { app: 'frontend' }, hostNetwork: true, deletedAt: 1 }),
    ],
    'Enforced',
  ],
  [
    'the same pods before they are deleted',
    policy(),
    [
      aPod({ name: 'frontend-old', labels: { app: 'frontend' }, meshed: false }),
      aPod({ name: 'frontend-host', labels: { app: 'frontend' }, hostNetwork: true }),
    ],
    'Enforced, SourceUnmeshed spec.sources[0], HostNetwork spec.sources[0]',
  ],
  [
    'a wrong label',
    policy({ target: labelled({ app: 'backed' }) }),
    [],
    'MatchesNothing, NoPodMatches spec.target.selector',
  ],
  [
    'a wrong namespace',
    policy({ namespace: 'dem0' }),
    [],
    'MatchesNothing, NoSuchNamespace metadata.namespace, NoPodMatches spec.sources[0].podSelector',
  ],
  ['a wrong port', policy({ ports: [range(8081)] }), [], 'MatchesNothing, NoSuchPort spec.ports[0].port'],
  [
    'one wrong port of two',
    policy({ ports: [range(8080), range(8081)] }),
    [],
    'Enforced, NoSuchPort spec.ports[1].port',
  ],
  [
    'a wrong name of a port',
    policy({ ports: [{ kind: 'name', name: 'htpp' }] }),
    [],
    'MatchesNothing, NoSuchPort spec.ports[0].port',
  ],
  [
    'a port of a pod that declares none',
    policy({ ports: [range(9)], target: labelled({ app: 'frontend' }) }),
    [],
    'Enforced',
  ],
  ['the admin port of the proxy', policy({ ports: [range(4191)] }), [], 'Enforced'],
  [
    'a pod without a proxy',
    policy(),
    [aPod({ ...backend.meta, ...backend.spec, labels: { app: 'backend' }, meshed: false })],
    'Open, TargetUnmeshed spec.target.selector',
  ],
  [
    'a pod on its host network',
    policy(),
    [aPod({ name: 'backend-0', labels: { app: 'backend' }, ports: http, hostNetwork: true })],
    'Open, HostNetwork spec.target.selector',
  ],
  [
    'one pod without a proxy of two',
    policy(),
    [aPod({ name: 'backend-1', labels: { app: 'backend' }, meshed: false })],
    'PartlyEnforced, TargetUnmeshed spec.target.selector',
  ],
  [
    'a pod of another mesh',
    policy(),
    [
      aPod({
        name: 'backend-0',
        meshed: false,
        labels: { app: 'backend', 'linkerd.io/control-plane-ns': 'linkerd' },
      }),
    ],
    'Open, TargetOfOtherMesh spec.target.selector',
  ],
  [
    'a skipped port',
    policy(),
    [
      aPod({
        name: 'backend-0',
        labels: { app: 'backend' },
        ports: http,
        annotations: { 'config.linkerd.io/skip-inbound-ports': '8080' },
      }),
    ],
    'Open, PortSkipped spec.target.selector',
  ],
  [
    'a client that is nobody',
    from({ podSelector: labelled({ app: 'fronted' }) }),
    [],
    'Enforced, NoPodMatches spec.sources[0].podSelector',
  ],
  [
    'a client without a proxy',
    policy(),
    [aPod({ name: 'frontend-0', labels: { app: 'frontend' }, meshed: false })],
    'Enforced, SourceUnmeshed spec.sources[0]',
  ],
  [
    'a client on its host network',
    policy(),
    [aPod({ name: 'frontend-0', labels: { app: 'frontend' }, hostNetwork: true })],
    'Enforced, HostNetwork spec.sources[0]',
  ],
  [
    'a client that has no address yet',
    policy(),
    [aPod({ name: 'frontend-0', labels: { app: 'frontend' }, ips: [] })],
    'Enforced, SourceWithoutAddress spec.sources[0]',
  ],
  [
    'two clients with one address',
    policy(),
    [aPod({ name: 'other', ips: ['10.0.0.7'] })],
    'Enforced, AddressShared spec.sources[0]',
  ],
  [
    'namespaces that are not there',
    from({ namespaceSelector: labelled({ team: 'blue' }) }),
    [],
    'Enforced, NoSuchNamespace spec.sources[0].namespaceSelector',
  ],
  [
    'a namespace without such pods',
    from({ namespaceSelector: labelled({ team: 'blue' }), podSelector: labelled({ app: 'x' }) }),
    [aNamespace({ name: 'blue', labels: { team: 'blue' } })],
    'Enforced, NoPodMatches spec.sources[0].podSelector',
  ],
  [
    'a ServiceAccount that does not exist',
    from({ serviceAccounts: [{ namespace: 'demo', name: 'web' }] }),
    [],
    'Enforced, NoSuchServiceAccount spec.sources[0].serviceAccounts[0]',
  ],
  [
    'a ServiceAccount of no namespace',
    from({ serviceAccounts: [{ namespace: 'dem0', name: 'default' }] }),
    [],
    'Enforced, NoSuchNamespace spec.sources[0].serviceAccounts[0]',
  ],
  ['an audited policy', policy({ mode: 'Audit' }), [], 'Audited'],
  [
    'a policy that another makes redundant',
    policy({ name: 'younger', createdAt: 2 }),
    [policy({ createdAt: 1, ports: 'all' })],
    'Enforced, Redundant',
  ],
  [
    'a Server that opens the port',
    policy(),
    [aServer({ accessPolicy: 'all-unauthenticated' })],
    'Open, OpenedByServer',
  ],
  [
    'rules beside a route',
    policy({ rules: [{ methods: ['GET'] }] }),
    [aServer(), anHttpRoute()],
    'PartlyEnforced, RoutesAttached',
  ],
  [
    'a rejected policy',
    aRejected('NetworkAuthenticationPolicy', { name: 'broken' }),
    [],
    'Rejected, Rejected spec',
  ],
  ['a Server', aServer({ podSelector: labelled({ app: 'backend' }) }), [], 'Enforced'],
  [
    'a Server behind an older one',
    aServer({ name: 'second', podSelector: labelled({ app: 'backend' }), createdAt: 2 }),
    [aServer({ createdAt: 1 })],
    'MatchesNothing, Overlapped',
  ],
  [
    'a Server for machines that are not there',
    aServer({ podSelector: undefined, externalWorkloadSelector: labelled({}) }),
    [],
    'MatchesNothing, NoPodMatches spec.externalWorkloadSelector',
  ],
  [
    'a Server for a machine',
    aServer({ podSelector: undefined, externalWorkloadSelector: labelled({}) }),
    [anExternalWorkload()],
    'Enforced',
  ],
  ['an authorization', anAuthorizationPolicy(), [aServer(), aMeshTlsAuthentication()], 'Enforced'],
  [
    'an authorization for no Server',
    anAuthorizationPolicy(),
    [aMeshTlsAuthentication()],
    'MatchesNothing, NoSuchTarget spec.targetRef',
  ],
  [
    'an authorization by nothing',
    anAuthorizationPolicy(),
    [aServer()],
    'MatchesNothing, MissingAuthentication spec.requiredAuthenticationRefs[0]',
  ],
  [
    'an authorization for a Server without pods',
    anAuthorizationPolicy({ authentications: [] }),
    [aServer({ podSelector: labelled({ app: 'none' }) })],
    'MatchesNothing, TargetWithoutEffect',
  ],
  [
    'an authorization for a route that is attached nowhere',
    anAuthorizationPolicy({ target: { kind: 'HTTPRoute', name: 'a' }, authentications: [] }),
    [anHttpRoute({ servers: ['gone'] })],
    'MatchesNothing, NoSuchTarget spec.targetRef',
  ],
  [
    'an authorization for a route of another protocol',
    anAuthorizationPolicy({ target: { kind: 'HTTPRoute', name: 'a' }, authentications: [] }),
    [anHttpRoute(), aServer({ proxyProtocol: 'gRPC' })],
    'MatchesNothing, RouteNeedsProtocol spec.targetRef',
  ],
  ['an authentication that nobody uses', aMeshTlsAuthentication(), [], 'MatchesNothing, NotReferenced'],
  [
    'an authentication by an account that is not there',
    aMeshTlsAuthentication({
      identities: [],
      identityRefs: [{ kind: 'ServiceAccount', namespace: 'demo', name: 'x' }],
    }),
    [anAuthorizationPolicy()],
    'Enforced, NoSuchServiceAccount spec.identityRefs[0]',
  ],
  [
    'a ServerAuthorization',
    aServerAuthorization({ networks: [{ net: { family: 4, bits: 0n, prefix: 0 }, except: [] }] }),
    [aServer()],
    'Enforced',
  ],
  [
    'a ServerAuthorization without networks',
    aServerAuthorization(),
    [aServer()],
    'MatchesNothing, NoNetworks spec.client.networks',
  ],
  ['a route', anHttpRoute(), [aServer()], 'Enforced'],
  ['a route to no Server', anHttpRoute(), [], 'MatchesNothing, NoSuchTarget spec.parentRefs'],
  ['a limit', aRateLimit(), [aServer()], 'Enforced'],
  ['a limit of gRPC', aRateLimit(), [aServer({ proxyProtocol: 'gRPC' })], 'PartlyEnforced, LimitNeedsHTTP'],
  [
    'a limit behind an older one',
    aRateLimit({ name: 'b', createdAt: 2 }),
    [aServer(), aRateLimit({ createdAt: 1 })],
    'MatchesNothing, LimitOverlapped',
  ],
];

test('every object is judged by what it does, and each finding names its field', () => {
  assert.equal(cases.length, 50);
  for (const [title, object, others, expected] of cases) {
    const mesh = new JudgedMesh().put(...place, ...others, object);
    assert.equal(mesh.saidOf(object), expected, title);
    const { judgements } = new JudgedMesh().put(...place, ...others);
    assert.deepEqual(
      judgements.ofCandidate(object as Judged),
      mesh.judgementOf(object),
      `${title}, not stored yet`,
    );
    // What a parser says is no sentence.
    for (const { reason, message, fix } of mesh.judgementOf(object).findings)
      for (const sentence of reason === 'Rejected' ? [] : [message, fix])
        assert.match(sentence, /^[A-Z].*\.$/, title);
  }
});

test('of an object that is not stored yet, sources are resolved once for all rows that they are granted on', () => {
  const apps = Array.from({ length: 20 }, (_, app) =>
    aPod({ name: `app-${app}`, labels: { app: `app-${app}` }, ips: [`10.0.1.${app}`], ports: http }),
  );
  const ofEach = apps.map(({ meta }) => policy({ name: meta.name, target: labelled({ app: meta.name }) }));
  const { compiler, judgements } = new JudgedMesh().put(...place, ...apps, ...ofEach);
  const resolve = compiler.sourcesOnce.bind(compiler);
  const resolved: string[] = [];
  compiler.sourcesOnce = (object) => {
    resolved.push(object.meta.name);
    return resolve(object);
  };
  const everybody = policy({ name: 'all', target: labelled({}), sources: [{ podSelector: labelled({}) }] });
  assert.equal(judgements.ofCandidate(everybody)?.state, 'Enforced');
  assert.deepEqual(resolved.toSorted(), ['all', ...ofEach.map(({ meta }) => meta.name)].toSorted());
});

test('a judgement is made again when something that it was made of changes, and for nothing else', () => {
  const mesh = new JudgedMesh().put(...place, policy(), anAuthorizationPolicy(), aMeshTlsAuthentication());
  assert.equal(mesh.catchUp().length, 3);
  const madeBy = (change: () => void): readonly string[] => {
    const before = mesh.judgements.judged;
    change();
    const changed = mesh.catchUp().map(({ object, after }) => `${object.kind} ${after?.state}`);
    return [...changed, `${mesh.judgements.judged - before} judged`];
  };
  const stranger = aPod({ name: 'stranger', labels: { app: 'stranger' } });
  const elsewhere = aNetworkAuthenticationPolicy({ namespace: 'other' });
  const unready = aPod({ ...backend.meta, ...backend.spec, ready: false });
  assert.deepEqual(
    [
      madeBy(() => mesh.put(stranger)),
      madeBy(() => mesh.remove(stranger)),
      madeBy(() => mesh.put(unready)),
      madeBy(() => mesh.put(elsewhere)),
      madeBy(() => mesh.put(aPod({ name: 'backend-1', labels: { app: 'backend' }, meshed: false }))),
      madeBy(() => mesh.put(aServer())),
      madeBy(() => mesh.put(aServer({ accessPolicy: 'all-unauthenticated' }))),
      madeBy(() => mesh.remove(frontend)),
      madeBy(() => mesh.remove(policy())),
    ],
    [
      ['0 judged'],
      ['0 judged'],
      ['0 judged'],
      ['NetworkAuthenticationPolicy MatchesNothing', '1 judged'],
      ['NetworkAuthenticationPolicy PartlyEnforced', '1 judged'],
      ['Server PartlyEnforced', 'AuthorizationPolicy PartlyEnforced', '3 judged'],
      ['NetworkAuthenticationPolicy Open', '3 judged'],
      // The Server selects every pod of its namespace.
      ['Server PartlyEnforced', 'NetworkAuthenticationPolicy Open', '3 judged'],
      ['NetworkAuthenticationPolicy undefined', '2 judged'],
    ],
  );
});

test('anyone who asks is answered from the index as it is, and those who follow hear of it all the same', () => {
  const mesh = new JudgedMesh().put(...place, policy());
  assert.equal(mesh.saidOf(policy()), 'Enforced');
  assert.equal(mesh.catchUp().length, 1);
  mesh.remove(backend);
  assert.match(mesh.saidOf(policy()), /^MatchesNothing/);
  assert.deepEqual(
    mesh.catchUp().map(({ before, after }) => [before?.state, after?.state]),
    [['Enforced', 'MatchesNothing']],
  );
});

test('a finding about very many pods counts all of them', () => {
  const bare = Array.from({ length: 150 }, (_, at) =>
    aPod({ name: `bare-${String(at).padStart(3, '0')}`, labels: { app: 'backend' }, meshed: false }),
  );
  const mesh = new JudgedMesh().put(...place, ...bare, policy());
  const [finding] = mesh.judgementOf(policy()).findings;
  assert.match(finding?.message ?? '', /^On pods bare-000, bare-001 and 148 more it is open/);
  assert.equal(finding?.about.length, 10);
});
