import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  aNetworkAuthenticationPolicy,
  anAuthorizationPolicy,
  anHttpRoute,
  aPod,
  aRejected,
  aServer,
} from '@gatehouse/testing/builders';
import { compileSituation, findingsOf } from '../../../testing/compile-situation.ts';
import { aSituation, asPod, at, backend, frontend, verdictOf } from '../../../testing/situation.ts';

const seed = aNetworkAuthenticationPolicy();

describe('what the row says of objects without effect', () => {
  it('a port that no proxy guards', () => {
    const skipped = aPod({
      ...backend.spec,
      name: 'backend',
      labels: { app: 'backend' },
      annotations: { 'config.linkerd.io/skip-inbound-ports': '25,8000-8100' },
    });
    const situation = aSituation({ target: skipped, networkAuthenticationPolicies: [seed] });
    assert.deepEqual(findingsOf(situation), ['Unenforced frontend-can-talk-to-backend']);
    const elsewhere = aNetworkAuthenticationPolicy({ ports: [{ kind: 'name', name: 'admin' }] });
    assert.deepEqual(
      findingsOf(aSituation({ target: skipped, port: 9000, networkAuthenticationPolicies: [elsewhere] })),
      [],
    );
  });

  it('an unreadable default', () => {
    const target = aPod({ annotations: { 'config.linkerd.io/default-inbound-policy': 'dney' } });
    const situation = aSituation({ target });
    assert.equal(verdictOf(situation, at('192.0.2.1')), 'unauthorized');
    assert.deepEqual(findingsOf(situation), ['UnreadableDefault workload']);
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
    assert.deepEqual(findingsOf(situation), ['ProbeNotOpened workload', 'HookNotOpened workload']);
    const open = [aServer({ accessPolicy: 'all-unauthenticated' })];
    assert.deepEqual(findingsOf({ ...situation, servers: open }), []);
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
    assert.deepEqual(findingsOf(situation), ['RulesNeedHTTP rules', 'ProbeNotOpened workload']);
    const open = [aServer({ proxyProtocol: 'opaque', accessPolicy: 'all-unauthenticated' })];
    assert.deepEqual(findingsOf({ ...situation, servers: open }), [
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
    assert.deepEqual(findingsOf(situation), ['RoutesAttached rules']);
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
