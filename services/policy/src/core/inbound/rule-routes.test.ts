import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import type { PolicyRule } from '@gatehouse/core/resources/kinds/gatehouse';
import { aNetworkAuthenticationPolicy } from '@gatehouse/testing/builders';
import { exact, prefix } from '@gatehouse/testing/inbound-attempt';
import { compileSituation } from '../../../testing/compile-situation.ts';
import type { Situation } from '../../../testing/decide/situation.ts';
import { forIntruder, printRoutes, ruledBy, ruledPolicy } from '../../../testing/ruled-situation.ts';
import { aSituation, asPod, at, backend, frontend, intruder, verdictOf } from '../../../testing/situation.ts';

describe('rules become routes', () => {
  it('guard first, one route per match, what nobody mentioned last', () => {
    const situation = ruledBy(ruledPolicy('p', [{ methods: ['GET', 'HEAD'], paths: [prefix('/api')] }]));
    assert.deepEqual(printRoutes(situation), [
      'unnormalized-path: regex (0)',
      'networkauthenticationpolicy/p: GET prefix /api (1)',
      'networkauthenticationpolicy/p: HEAD prefix /api (1)',
      'default: prefix / (0)',
    ]);
  });

  it('rules that name no path need no guard', () => {
    assert.deepEqual(printRoutes(ruledBy(ruledPolicy('p', [{ methods: ['GET'] }]))), [
      'networkauthenticationpolicy/p: GET (1)',
      'default: prefix / (0)',
    ]);
  });

  it('where rules of two policies meet, their conjunction carries both, and comes first', () => {
    const situation = ruledBy(
      ruledPolicy('a', [{ paths: [prefix('/api')] }]),
      ruledPolicy('b', [{ methods: ['GET'] }], forIntruder),
    );
    assert.deepEqual(printRoutes(situation), [
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
    const situation = ruledBy(
      ruledPolicy('a', [{ paths: [prefix('/api/'), exact('/api')] }]),
      ruledPolicy('b', [{ paths: [prefix('/api')] }], forIntruder),
    );
    assert.deepEqual(printRoutes(situation), [
      'unnormalized-path: regex (0)',
      'rules: prefix /api (2)',
      'default: prefix / (0)',
    ]);
    const exactly = ruledBy(
      ruledPolicy('a', [{ paths: [exact('/api')] }]),
      ruledPolicy('b', [{ paths: [prefix('/api')] }], forIntruder),
    );
    assert.deepEqual(printRoutes(exactly).slice(1, 3), [
      'rules: exact /api (2)',
      'networkauthenticationpolicy/b: prefix /api (1)',
    ]);
  });

  it('three ways to meet are closed to a fixpoint', () => {
    const header = (name: string, value: string): PolicyRule => ({ headers: [{ name, value }] });
    const situation = ruledBy(
      ruledPolicy('a', [header('x-a', '1')]),
      ruledPolicy('b', [header('X-B', '1')]),
      ruledPolicy('c', [header('x-c', '1')]),
    );
    assert.deepEqual(printRoutes(situation), [
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
    const situation = ruledBy(
      ruledPolicy('a', [
        header('x-a'),
        {
          headers: [
            { name: 'x-b', value: '1' },
            { name: 'x-c', value: '1' },
          ],
        },
      ]),
      ruledPolicy('b', [header('x-a')], forIntruder),
    );
    assert.deepEqual(printRoutes(situation), [
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
    const situation = ruledBy(
      ruledPolicy('a', [tenant('blue')]),
      ruledPolicy('b', [tenant('red')], forIntruder),
    );
    assert.equal(verdictOf(situation, asPod(intruder), 'GET / x-tenant=blue x-tenant=red'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET / x-tenant=blue x-tenant=red'), 'allowed');
    assert.equal(verdictOf(situation, asPod(intruder), 'GET / x-tenant=blue'), 'unauthorized');
  });

  it('no rules admit nobody, but who is granted everything keeps it', () => {
    const situation = ruledBy(ruledPolicy('none', []));
    assert.equal(verdictOf(situation, asPod(frontend)), 'unauthorized');
    const open = ruledBy(ruledPolicy('none', []), aNetworkAuthenticationPolicy({ name: 'open' }));
    assert.equal(verdictOf(open, asPod(frontend)), 'allowed');
  });

  it('rules admit no bytes that are not HTTP, a policy without rules does', () => {
    const situation = ruledBy(ruledPolicy('p', [{ methods: ['GET'] }]));
    assert.equal(verdictOf(situation, asPod(frontend), 'bytes'), 'unauthorized');
    assert.equal(verdictOf(ruledBy(aNetworkAuthenticationPolicy()), asPod(frontend), 'bytes'), 'allowed');
  });

  it('deleting one of two policies leaves what the other admits', () => {
    const a = ruledPolicy('a', [{ paths: [prefix('/api')] }]);
    const b = ruledPolicy('b', [{ methods: ['GET'] }], forIntruder);
    assert.equal(verdictOf(ruledBy(a, b), asPod(intruder), 'GET /api'), 'allowed');
    assert.equal(verdictOf(ruledBy(a), asPod(intruder), 'GET /api'), 'unauthorized');
    assert.equal(verdictOf(ruledBy(a), asPod(frontend), 'GET /api'), 'allowed');
  });
});

describe('a probe under rules', () => {
  const probed = {
    ...backend,
    spec: { ...backend.spec, probes: [{ kind: 'http', port: 8080, path: '/api/live' }] },
  } as const;
  const kubelet = at('192.168.0.1');

  it('stays open, and denies nobody whom a rule admits', () => {
    const situation = { ...ruledBy(ruledPolicy('p', [{ paths: [prefix('/api')] }])), target: probed };
    assert.equal(verdictOf(situation, kubelet, 'GET /api/live'), 'allowed');
    assert.equal(verdictOf(situation, kubelet, 'POST /api/live'), 'unauthorized');
    assert.equal(verdictOf(situation, kubelet, 'GET /api/live/x'), 'unauthorized');
    assert.deepEqual(printRoutes(situation), [
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
      ...ruledBy(ruledPolicy('p', [{ paths: [prefix('/api')] }])),
      target: odd,
      cluster: { ...aSituation().cluster, probeNetworks: aNetworkOf('192.168.0.1') },
    };
    assert.equal(verdictOf(situation, kubelet, 'GET /api//live'), 'allowed');
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api//live'), 'unauthorized');
  });

  it('everything is a rule like another', () => {
    const situation = {
      ...ruledBy(ruledPolicy('p', [{ methods: ['GET'] }], { target: everything })),
      target: probed,
    };
    assert.equal(verdictOf(situation, asPod(frontend), 'GET /api/live'), 'allowed');
  });
});

function aNetworkOf(address: string): Situation['cluster']['probeNetworks'] {
  const { client } = at(address);
  return [{ net: { ...client, prefix: 32 }, except: [] }];
}
