import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { HttpMatch } from '@gatehouse/core/inbound/inbound-server';
import { everything } from '@gatehouse/core/label-selector';
import {
  aNamespace,
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aPod,
  aRejected,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { aSituation, asPod, backend, frontend, intruder, verdictOf } from '../../../testing/situation.ts';

const prefix = (value: string): HttpMatch => ({
  path: { kind: 'prefix', value },
  headers: [],
  queryParams: [],
});
const routeTo = (name: string, path: string) =>
  anHttpRoute({ name, rules: [{ matches: [prefix(path)], filters: [] }] });

/** Everybody on the route; `frontend` and `intruder` share their identity, so addresses tell them apart. */
const openRoute = (name: string) =>
  anAuthorizationPolicy({ name: `open-${name}`, target: { kind: 'HTTPRoute', name }, authentications: [] });

const toThePort = aNetworkAuthenticationPolicy({ name: 'to-the-port' });
const byRules = aNetworkAuthenticationPolicy({
  name: 'by-rules',
  sources: [{ podSelector: everything }],
  rules: [{ methods: ['GET'] }],
});

describe('a rejected route', () => {
  const around = aSituation({
    networkAuthenticationPolicies: [toThePort],
    servers: [aServer()],
    authorizationPolicies: [openRoute('everything'), openRoute('admin')],
  });
  const rejected = (said: Parameters<typeof aRejected<'HTTPRoute'>>[1]): Situation => ({
    ...around,
    routes: [
      routeTo('everything', '/'),
      aRejected('HTTPRoute', { name: 'admin', attachedTo: ['a'], ...said }),
    ],
  });

  it('keeps the requests that can be read from all but those admitted to the port', () => {
    const keeps = [{ hosts: [], matches: [prefix('/admin')] }];
    const situation = rejected({ keeps, extent: 'known' });
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /admin/x'), 'unauthorized');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /other'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /admin/x'), 'allowed');
    assert.deepEqual(findingsOf(situation), ['Rejected admin', 'TargetRejected open-admin']);
  });

  it('withholds what every route of the Server grants, where nobody can say which requests it is about', () => {
    const situation = rejected({ keeps: [], extent: 'unknown' });
    for (const path of ['/admin/x', '/other']) {
      assert.equal(verdictOf(situation, asPod(intruder), `GET ${path}`), 'unauthorized', path);
      assert.equal(verdictOf(situation, asPod(frontend), `GET ${path}`), 'allowed', path);
    }
    assert.deepEqual(findingsOf(situation), [
      'Rejected admin',
      'TargetRejected open-admin',
      'InDoubt open-everything',
    ]);
  });

  it('gives no route to requests that had none: those admitted to the port get what is still known', () => {
    const keeps = [{ hosts: [], matches: [prefix('/admin')] }];
    for (const extent of ['known', 'unknown'] as const) {
      const situation = { ...around, routes: [aRejected('HTTPRoute', { attachedTo: ['a'], keeps, extent })] };
      assert.equal(verdictOf(situation, asPod(frontend), 'GET /admin/x'), 'allowed', extent);
      assert.equal(verdictOf(situation, asPod(frontend), 'GET /other'), 'no-route', extent);
    }
  });

  it('of which nothing is left keeps rules void and every request without a route', () => {
    const networkAuthenticationPolicies = [byRules, toThePort];
    for (const attachedTo of [['a'], 'all'] as const) {
      const routes = [aRejected('HTTPRoute', { name: 'broken', attachedTo })];
      const situation = { ...around, networkAuthenticationPolicies, authorizationPolicies: [], routes };
      assert.equal(verdictOf(situation, asPod(frontend), 'GET /'), 'no-route');
      assert.deepEqual(findingsOf(situation), ['Rejected broken', 'InDoubt by-rules']);
    }
    const elsewhere = { ...around, routes: [aRejected('HTTPRoute', { attachedTo: ['b'] })] };
    assert.equal(verdictOf(elsewhere, asPod(frontend), 'GET /'), 'allowed');
  });

  it('wins over a younger route for the same requests, as it did before', () => {
    const keeps = [{ hosts: [], matches: [prefix('/admin')] }];
    const rival = (createdAt: number): Situation => ({
      ...rejected({ keeps, extent: 'known', createdAt: 1 }),
      routes: [
        anHttpRoute({ name: 'rival', createdAt, rules: [{ matches: [prefix('/admin')], filters: [] }] }),
        aRejected('HTTPRoute', { name: 'admin', createdAt: 1, attachedTo: ['a'], keeps, extent: 'known' }),
      ],
      authorizationPolicies: [openRoute('rival')],
    });
    assert.equal(verdictOf(rival(2), asPod(intruder), 'GET /admin/x'), 'unauthorized');
    assert.equal(verdictOf(rival(0), asPod(intruder), 'GET /admin/x'), 'allowed');
  });
});

describe('a manifest that was never read', () => {
  it('withholds what routes and rules grant, and leaves what is granted on the port', () => {
    const situation = aSituation({
      networkAuthenticationPolicies: [toThePort, byRules],
      unreadableManifests: 'some',
    });
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /'), 'unauthorized');
    assert.deepEqual(findingsOf(situation), ['InDoubt by-rules']);
    const routed = {
      ...situation,
      servers: [aServer()],
      routes: [routeTo('everything', '/')],
      authorizationPolicies: [openRoute('everything')],
    };
    assert.equal(verdictOf(routed, asPod(frontend), 'GET /'), 'allowed');
    assert.equal(verdictOf(routed, asPod(intruder), 'GET /'), 'unauthorized');
  });
});

describe('a rejected Server', () => {
  const port8080 = [{ kind: 'range', first: 8080, last: 8080 } as const];
  const broken = (said: Parameters<typeof aRejected<'Server'>>[1] = {}) =>
    aRejected('Server', { name: 'broken', closes: { selector: everything, ports: port8080 }, ...said });
  const under = (server: ReturnType<typeof broken>, said: Partial<Situation> = {}): Situation =>
    aSituation({ networkAuthenticationPolicies: [toThePort, byRules], servers: [server], ...said });

  it('leaves the port its protocol, and so what policies grant there', () => {
    const http = under(broken({ proxyProtocol: 'HTTP/1' }));
    assert.equal(verdictOf(http, asPod(frontend), 'GET /'), 'allowed');
    assert.equal(verdictOf(http, asPod(intruder), 'GET /'), 'allowed');
    assert.equal(verdictOf(http, asPod(frontend), 'bytes'), 'not-http');
    const opaque = under(broken({ proxyProtocol: 'opaque' }));
    assert.equal(verdictOf(opaque, asPod(frontend), 'bytes'), 'allowed');
    assert.equal(verdictOf(opaque, asPod(intruder), 'GET /'), 'unauthorized');
  });

  it('whose protocol nobody can say leaves nothing granted', () => {
    const situation = under(broken({ proxyProtocol: undefined }));
    for (const traffic of ['GET /', 'bytes'])
      assert.equal(verdictOf(situation, asPod(frontend), traffic), 'unauthorized');
    assert.deepEqual(findingsOf(situation), ['Rejected broken', 'InDoubt by-rules', 'InDoubt to-the-port']);
  });

  it('that may have meant other pods leaves what is granted, no matter who governs', () => {
    const perhaps = broken({ governs: 'perhaps' });
    assert.equal(verdictOf(under(perhaps), asPod(frontend), 'GET /'), 'allowed');
    assert.equal(verdictOf(under(perhaps), asPod(intruder), 'GET /'), 'allowed');
  });

  it('that may have meant other pods leaves nothing granted, where they would have it otherwise', () => {
    const perhaps = broken({ governs: 'perhaps' });
    const opaquePod = aPod({
      ...backend.spec,
      name: 'backend',
      labels: { app: 'backend' },
      annotations: { 'config.linkerd.io/opaque-ports': '8080' },
    });
    const others: readonly (readonly [what: string, said: Partial<Situation>])[] = [
      ['the pod lists the port as opaque', { target: opaquePod }],
      [
        'a younger Server speaks HTTP',
        { servers: [perhaps, aServer({ createdAt: 1, proxyProtocol: 'HTTP/1' })] },
      ],
      [
        'a younger Server has routes',
        { servers: [perhaps, aServer({ createdAt: 1 })], routes: [routeTo('r', '/')] },
      ],
      ['it has routes itself', { routes: [anHttpRoute({ servers: ['broken'] })] }],
    ];
    for (const [what, said] of others) {
      const verdict = verdictOf(under(perhaps, said), asPod(frontend), 'GET /');
      assert.ok(verdict === 'unauthorized' || verdict === 'no-route', what);
    }
    assert.equal(others.length, 4);
    const old = { servers: [aServer({ createdAt: -1, proxyProtocol: 'HTTP/1' }), perhaps] };
    assert.equal(verdictOf(under(perhaps, old), asPod(frontend), 'GET /'), 'allowed');
  });
});

describe('a rejected policy', () => {
  it('keeps paths that can be read in two ways from those whom only rules admit', () => {
    const loose = { sources: [{ podSelector: everything }], allowUnnormalizedPaths: true };
    const rules = [{ methods: ['GET'] }];
    const situation = aSituation({
      networkAuthenticationPolicies: [aNetworkAuthenticationPolicy({ name: 'loose', ...loose, rules })],
    });
    assert.equal(verdictOf(situation, asPod(intruder), 'GET /a//b'), 'allowed');
    const { networkAuthenticationPolicies: good } = situation;
    const broken = aRejected('NetworkAuthenticationPolicy', { name: 'broken' });
    const closed = { ...situation, networkAuthenticationPolicies: [...good, broken] };
    assert.equal(verdictOf(closed, asPod(intruder), 'GET /a//b'), 'unauthorized');
    assert.equal(verdictOf(closed, asPod(intruder), 'GET /a/b'), 'allowed');
  });
});

describe('a pod that cannot be read', () => {
  const open = aSituation({ cluster: { ...aSituation().cluster, defaultPolicy: 'all-unauthenticated' } });
  type PodSaid = NonNullable<Parameters<typeof aPod>[0]>;
  const targetWith = (said: PodSaid): Situation => {
    const target = aPod({ ...backend.meta, ...backend.spec, ...said });
    return { ...open, target, pods: [frontend, intruder, target] };
  };

  it('admits nobody where nobody can say which policies are for it, whatever is open by default', () => {
    assert.equal(verdictOf(open, asPod(intruder)), 'allowed');
    const unread: readonly PodSaid[] = [
      { unreadTexts: ['labels'] },
      { unreadTexts: ['annotations'] },
      { unread: ['ports'] },
    ];
    for (const said of unread) {
      const situation = targetWith(said);
      assert.equal(verdictOf(situation, asPod(intruder)), 'unauthorized', JSON.stringify(said));
      assert.deepEqual(compileSituation(situation).governedBy, { kind: 'unreadable-pod' });
      assert.deepEqual(findingsOf(situation), ['InDoubt workload']);
    }
  });

  it('admits as ever where only what it is as a client cannot be read', () => {
    const situation = targetWith({ unread: ['hostNetwork', 'phase', 'serviceAccountName'] });
    assert.equal(verdictOf(situation, asPod(intruder)), 'allowed');
  });

  const granted = aSituation({ networkAuthenticationPolicies: [toThePort] });
  const callerWith = (said: PodSaid): Situation => {
    const pod = aPod({ ...frontend.meta, ...frontend.spec, ...said });
    return { ...granted, pods: [pod, intruder, backend] };
  };

  it('is not recognised as a client where nobody can say who it is, where it runs or whether it does', () => {
    assert.equal(verdictOf(granted, asPod(frontend)), 'allowed');
    const unread: readonly PodSaid[] = [
      { unreadTexts: ['labels'] },
      { unread: ['serviceAccountName'] },
      { unread: ['hostNetwork'] },
      { unread: ['phase'] },
    ];
    for (const said of unread)
      assert.equal(verdictOf(callerWith(said), asPod(frontend)), 'unauthorized', JSON.stringify(said));
    const others = callerWith({ unread: ['ports'], unreadTexts: ['annotations'] });
    assert.equal(verdictOf(others, asPod(frontend)), 'allowed');
  });

  it('keeps its address from a pod that claims it too', () => {
    const younger = aPod({ ...frontend.meta, ...frontend.spec, startedAt: 2 });
    const beside = (said: PodSaid): Situation => {
      const older = aPod({
        ...intruder.meta,
        ...intruder.spec,
        ips: frontend.spec.ips,
        startedAt: 1,
        ...said,
      });
      return { ...granted, pods: [younger, older, backend] };
    };
    assert.equal(verdictOf(beside({}), asPod(younger)), 'allowed');
    assert.equal(verdictOf(beside({ hostNetwork: true }), asPod(younger)), 'unauthorized');
    assert.equal(verdictOf(beside({ unread: ['hostNetwork'] }), asPod(younger)), 'unauthorized');
  });

  it('is not selected by its namespace where the labels of that cannot be read', () => {
    const namespaceSelector = {
      matchLabels: {},
      matchExpressions: [{ key: 'team', operator: 'DoesNotExist' as const }],
    };
    const policy = aNetworkAuthenticationPolicy({ sources: [{ namespaceSelector }] });
    const of = (namespace: ReturnType<typeof aNamespace>): Situation =>
      aSituation({ networkAuthenticationPolicies: [policy], namespaces: [namespace] });
    assert.equal(verdictOf(of(aNamespace()), asPod(frontend)), 'allowed');
    assert.equal(verdictOf(of(aNamespace({ unreadTexts: ['labels'] })), asPod(frontend)), 'unauthorized');
  });
});
