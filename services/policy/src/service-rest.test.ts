import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from '@gatehouse/testing/started-admin';
import { policyNamed, restOf } from '../testing/a-rest-view.ts';

test('the REST API says who may call whom, object by object, and pages', async (t) => {
  const { read } = await restOf(t);
  const first = await read('/v1/authorizations?namespace=demo&limit=3');
  const rest = await read(`/v1/authorizations?namespace=demo&continue=${first.json.continue}`);
  const items = [...first.json.items, ...rest.json.items];
  assert.deepEqual(
    items.map(({ object: { kind, name }, state }) => `${kind} ${name} ${state}`),
    [
      'Namespace demo Enforced',
      'AuthorizationPolicy anyone PartlyEnforced',
      'AuthorizationPolicy lost MatchesNothing',
      'NetworkAuthenticationPolicy a Rejected',
      'NetworkAuthenticationPolicy frontend-can-talk-to-backend Enforced',
      'NetworkAuthenticationPolicy get-only Audited',
      'Server web PartlyEnforced',
      'ServerAuthorization probes MatchesNothing',
      'ServerAuthorization web-probes PartlyEnforced',
    ],
  );
  const byName = new Map(items.map((item) => [item.object.name, item]));
  const frontend = { matchLabels: { app: 'frontend' }, matchExpressions: [] };
  assert.deepEqual(byName.get('frontend-can-talk-to-backend'), {
    object: policyNamed('frontend-can-talk-to-backend'),
    state: 'Enforced',
    target: {
      kind: 'pods',
      selector: { matchLabels: { app: 'backend' }, matchExpressions: [] },
      object: null,
      text: 'pods with app=backend',
    },
    pods: { count: 1, names: ['backend-0'], notEnforcedCount: 0, notEnforced: [] },
    ports: { kind: 'listed', items: [{ name: null, first: 8080, last: 8080 }], text: '8080' },
    base: 'deny',
    requests: null,
    sources: [
      {
        text: 'pods with app=frontend',
        podSelector: frontend,
        namespaceSelector: null,
        serviceAccounts: null,
        identities: null,
        networks: null,
        selectedPods: 2,
      },
    ],
    authentications: [],
    grants: [
      {
        authentication: 'identities',
        identities: ['default.demo.serviceaccount.identity.gatehouse.cluster.local'],
        networks: [{ cidr: '10.0.0.7/32', except: [] }],
      },
    ],
    findings: [
      {
        reason: 'SourceUnmeshed',
        field: 'spec.sources[0]',
        about: [{ group: '', kind: 'Pod', namespace: 'demo', name: 'frontend-1' }],
        message: 'Pod demo/frontend-1 has no proxy, so no identity, and cannot be admitted by labels.',
        fix: 'Inject a proxy into the client, or admit it by `networks`.',
      },
    ],
    notes: ['Pod demo/frontend-1 has no proxy, so no identity, and cannot be admitted by labels.'],
  });
  assert.deepEqual(byName.get('get-only').requests, [
    {
      methods: ['GET', 'HEAD'],
      paths: [{ type: 'PathPrefix', value: '/api' }],
      headers: [{ name: 'x-tenant', value: 'blue' }],
      text: 'GET|HEAD /api/* x-tenant=blue',
    },
  ]);
  assert.equal(byName.get('get-only').base, null);
  assert.deepEqual(byName.get('anyone').grants[0].identities, ['*']);
  assert.match(byName.get('lost').notes[0], /MeshTLSAuthentication demo\/gone does not exist/);
  assert.deepEqual(byName.get('lost').target.object, {
    group: 'policy.linkerd.io',
    kind: 'HTTPRoute',
    namespace: 'demo',
    name: 'api',
  });
  assert.deepEqual(
    [byName.get('probes').target.text, byName.get('web-probes').grants[0].networks.length > 0],
    ['Servers with tier=web', true],
  );
  assert.deepEqual(
    byName.get('web').pods.notEnforced.map(({ pod, reason }: Record<string, string>) => [pod, reason]),
    [['frontend-1', 'unmeshed']],
  );
  assert.deepEqual(
    [byName.get('a').ports.text, byName.get('a').base, byName.get('a').notes],
    ['1-99', 'deny', ['spec.rule: unknown field: did you mean `rules`?']],
  );
  const [open] = (await read('/v1/authorizations?namespace=open')).json.items;
  assert.deepEqual([open.base, open.grants[0].authentication], ['all-unauthenticated', 'unauthenticated']);
  assert.equal((await read('/v1/authorizations')).json.items.length, 10);
});

test('the REST API says of every policy object what became of it, and of one by kind and name', async (t) => {
  const { read } = await restOf(t);
  const first = (await read('/v1/policies?limit=4')).json;
  const rest = (await read(`/v1/policies?continue=${first.continue}`)).json;
  const items = [...first.items, ...rest.items];
  assert.deepEqual(
    items.map(({ object, state, findings }) =>
      [object.kind, object.name, state, ...findings.map(({ reason }: { reason: string }) => reason)].join(
        ' ',
      ),
    ),
    [
      'AuthorizationPolicy anyone PartlyEnforced TargetWithoutEffect',
      'AuthorizationPolicy lost MatchesNothing MissingAuthentication NoSuchTarget',
      'MeshTLSAuthentication a Enforced',
      'NetworkAuthenticationPolicy a Rejected Rejected',
      'NetworkAuthenticationPolicy frontend-can-talk-to-backend Enforced SourceUnmeshed',
      'NetworkAuthenticationPolicy get-only Audited NoSuchServiceAccount',
      'Server web PartlyEnforced TargetUnmeshed',
      'ServerAuthorization probes MatchesNothing NoSuchTarget',
      'ServerAuthorization web-probes PartlyEnforced TargetWithoutEffect',
    ],
  );
  const one = (await read('/v1/policies/demo/networkauthenticationpolicy/a')).json;
  assert.deepEqual(one, items[3]);
  assert.deepEqual(
    [one.pods.names, one.findings[0].field, one.findings[0].fix],
    [['backend-0'], 'spec.rule', 'did you mean `rules`?'],
  );
});

test('the REST API says how a Service is reached', async (t) => {
  const { read } = await restOf(t);
  for (const to of ['backend.demo.svc.cluster.local', 'backend.demo.svc.cluster.local:80', '10.32.0.9:80']) {
    const { version, ...rest } = (await read(`/v1/outbound?to=${to}&from=demo/frontend-0`)).json;
    assert.match(version, /^[0-9a-f]{32}$/);
    assert.deepEqual(rest, {
      service: { namespace: 'demo', name: 'backend', port: 80 },
      protocol: 'detect',
      backends: ['backend.demo.svc.cluster.local:80'],
    });
  }
  const undeclared = await read('/v1/outbound?to=10.32.0.9:81');
  assert.deepEqual([undeclared.json.protocol, undeclared.json.backends], ['forbidden', []]);
});

test('every wrong question is answered with what is wrong, and none without the token', async (t) => {
  const { admin, read } = await restOf(t);
  const questions: readonly (readonly [string, number, RegExp])[] = [
    ['/v1/workloads/demo/nobody/ports/8080', 404, /no pod demo\/nobody/],
    ['/v1/workloads/demo/nobody', 404, /no pod demo\/nobody/],
    ['/v1/workloads/demo/backend-0/ports/web', 404, /no port named web: it has http \(8080\), metrics/],
    ['/v1/workloads?continue=x', 400, /continue/],
    ['/v1/workloads?kind=Service', 400, /kind/],
    [
      '/v1/workloads?selector=app%3Dweb,tier%20in%20web',
      400,
      /^selector: `tier in web` is not a requirement: use app=web, /,
    ],
    ['/v1/workloads/demo/backend-0?kind=ExternalWorkload', 404, /no ExternalWorkload demo\/backend-0/],
    ['/v1/workloads/demo/backend-0/ports/0', 400, /port/],
    ['/v1/workloads/demo/backend-0/ports/70000', 400, /port/],
    ['/v1/outbound', 400, /to/],
    ['/v1/outbound?to=backend', 400, /to: `backend` names no Service of this cluster/],
    ['/v1/outbound?to=nobody.demo.svc.cluster.local', 404, /no Service answers/],
    ['/v1/authorizations?limit=0', 400, /limit/],
    ['/v1/authorizations?color=blue', 400, /color/],
  ];
  assert.equal(questions.length, 14);
  for (const [path, status, detail] of questions) {
    const answer = await read(path);
    assert.equal(answer.status, status, path);
    assert.match(answer.json.detail, detail, path);
    assert.equal((await ask(`${admin}${path}`)).status, 401, path);
  }
});
