import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { aPod, aServer, compose, find, manifest, texts } from '@gatehouse/testing/composed-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { WireObject } from '../parse/fields.ts';

suite('warnings', () => {
  const inDefault = 'until it can, only what policies grant on whole ports is open in default';
  const cases: readonly (readonly [object: WireObject, warning: string])[] = [
    [
      { apiVersion: 'apps/v1', kind: 'Deploymnet', metadata: { name: 's' } },
      'Deploymnet s: kind: Deploymnet of `apps` is not read: did you mean `Deployment`?',
    ],
    [
      { apiVersion: 'extensions/v1beta1', kind: 'Deployment', metadata: { name: 's' } },
      'Deployment s: kind: Deployment of `extensions` is not read: Deployment is read from `apps`',
    ],
    [
      { apiVersion: 'v1', kind: 'HTTPRoute', metadata: { name: 's' } },
      `cannot be read: document 1 (HTTPRoute): kind: HTTPRoute of the core group is not read: HTTPRoute is read from \`policy.linkerd.io\` and \`gateway.networking.k8s.io\`; ${inDefault}`,
    ],
    [
      { apiVersion: 'v1', kind: 'NetworkAuthenticationPolicy', metadata: { name: 's', namespace: 'n' } },
      'cannot be read: document 1 (NetworkAuthenticationPolicy): kind: NetworkAuthenticationPolicy of the core group is not read: NetworkAuthenticationPolicy is read from `policy.linkerd.io`; until it can, only what policies grant on whole ports is open in n',
    ],
    [
      {
        apiVersion: 'policy.linkerd.io/v1alpha1',
        kind: 'EgressNetwork',
        metadata: { name: 's' },
        spec: { trafficPolicy: 'Deny' },
      },
      'EgressNetwork s: kind: EgressNetwork is read but not acted upon yet: until it is, no egress is denied',
    ],
    [
      aPod('A'),
      'Pod demo/A: metadata.name: `A` is not a valid name: lower-case letters, digits and `-`, at most 63, a letter or digit at both ends',
    ],
    [
      aPod('a', { spec: { hostNetwork: 1 } }),
      'Pod demo/a: spec.hostNetwork: the number 1 is neither true nor false: use true or false, without quotes',
    ],
    [
      aPod('a', { spec: { serviceAccountName: 'web' } }),
      'Pod demo/a: no manifest holds its ServiceAccount `web`, so it gets no certificate',
    ],
    [
      aServer({ spec: {} }),
      'Server demo/web is rejected: spec.podSelector: missing: say which pods; {} means all of the namespace; spec.port: missing: a number, or the name of a container port',
    ],
  ];

  test('name the manifest, the object, what is wrong and what to do', () => {
    for (const [object, warning] of cases)
      assert.deepEqual(texts(compose(manifest('a.yaml', object))), [`a.yaml: ${warning}`]);
    assert.equal(cases.length, 9);
  });

  test('are not made of kinds of others, which are listed instead', () => {
    const others = [
      ...[
        'v1 Secret',
        'v1 ConfigMap',
        'v1 Endpoints',
        'v1 PersistentVolumeClaim',
        'batch/v1 Job',
        'batch/v1 CronJob',
      ],
      ...['apps/v1 ReplicaSet', 'networking.k8s.io/v1 Ingress', 'networking.k8s.io/v1 NetworkPolicy'],
      ...[
        'rbac.authorization.k8s.io/v1 Role',
        'rbac.authorization.k8s.io/v1 RoleBinding',
        'policy/v1 PodDisruptionBudget',
      ],
      ...[
        'gateway.networking.k8s.io/v1 Gateway',
        'cert-manager.io/v1 Issuer',
        'monitoring.coreos.com/v1 PodMonitor',
      ],
    ].map((written) => written.split(' '));
    const objects = others.map(([apiVersion = '', kind = '']) => ({
      apiVersion,
      kind,
      metadata: { name: 'x' },
    }));
    const mesh = compose(manifest('a.yaml', ...objects, ...objects));
    assert.deepEqual([texts(mesh), mesh.foreignKinds], [[], others.map(([, kind]) => kind).sort()]);
    assert.equal(mesh.foreignKinds.length, 15);
  });

  test('name both pods that claim one address, unless their status says whose it is', () => {
    const pods = (more: object, said: object = {}) => {
      const status = { podIP: '10.0.0.1', startTime: '2026-05-04T08:00:00Z' };
      return compose(
        manifest('a.yaml', aPod('a', { status }), aPod('b', { status: { ...status, ...more }, ...said })),
      );
    };
    const outcome = 'nothing tells which pod was given it last, so none is admitted by it';
    const contested = [
      `a.yaml: Pod demo/a: 10.0.0.1 is also that of demo/b: ${outcome}`,
      `a.yaml: Pod demo/b: 10.0.0.1 is also that of demo/a: ${outcome}`,
    ];
    assert.deepEqual(texts(pods({})), contested);
    assert.deepEqual(texts(pods({ startTime: undefined })), contested);
    assert.deepEqual(texts(pods({}, { spec: { hostNetwork: true } })), contested);
    assert.deepEqual(texts(pods({ startTime: '2026-05-04T09:00:00Z' })), []);
    assert.deepEqual(texts(pods({ phase: 'Succeeded' })), []);
    for (const world of [pods({}), pods({ phase: 'Succeeded' })]) {
      const ips = ['a', 'b'].map((name) => find(world, 'Pod', name)?.spec.ips);
      assert.deepEqual(ips, [['10.0.0.1'], ['10.0.0.1']], 'what is written stays');
    }
  });

  test('name both Services that have one cluster IP, and the one that answers', () => {
    const service = (name: string) =>
      aWireObject('Service', { name, spec: { clusterIP: '10.32.0.1', ports: [{ port: 80 }] } });
    assert.deepEqual(texts(compose(manifest('a.yaml', service('b'), service('a')))), [
      'a.yaml: Service demo/a: 10.32.0.1 is also that of demo/b: demo/a answers there',
      'a.yaml: Service demo/b: 10.32.0.1 is also that of demo/a: demo/a answers there',
    ]);
  });
});
