import assert from 'node:assert/strict';
import { test } from 'node:test';
import { annotationsOfService, injectionOf, type NewPod } from './injection.ts';

const inject = (value: string) => ({ 'linkerd.io/inject': value });
const aNewPod = (said: Partial<NewPod> = {}): NewPod => ({
  namespace: 'demo',
  labels: { app: 'web' },
  annotations: {},
  hostNetwork: false,
  namespaceAnnotations: {},
  ...said,
});

const brief = (pod: NewPod): string => {
  const injection = injectionOf(pod, 'gatehouse');
  return injection.kind === 'injected' ? injection.mode : injection.reason;
};

const annotated: readonly (readonly [
  pod: string | undefined,
  namespace: string | undefined,
  becomes: string,
])[] = [
  [undefined, undefined, 'not-asked-for'],
  ['', '', 'not-asked-for'],
  ['enabled', undefined, 'sidecar'],
  ['ingress', undefined, 'ingress'],
  ['disabled', undefined, 'disabled'],
  [undefined, 'enabled', 'sidecar'],
  ['', 'enabled', 'sidecar'],
  [undefined, 'ingress', 'ingress'],
  [undefined, 'disabled', 'disabled'],
  ['ingress', 'enabled', 'ingress'],
  ['enabled', 'ingress', 'sidecar'],
  ['enabled', 'disabled', 'sidecar'],
  ['disabled', 'enabled', 'disabled'],
  ['true', undefined, 'unknown-pod-value'],
  ['Enabled', 'enabled', 'unknown-pod-value'],
  ['enabled', 'true', 'unknown-namespace-value'],
];

test('a pod is injected where its annotation or else its namespace asks for it', () => {
  for (const [pod, namespace, becomes] of annotated) {
    const found = brief(
      aNewPod({
        annotations: pod === undefined ? {} : inject(pod),
        namespaceAnnotations: namespace === undefined ? {} : inject(namespace),
      }),
    );
    assert.equal(found, becomes, `${pod} in ${namespace}`);
  }
  assert.equal(annotated.length, 16);
});

const leftAlone: readonly (readonly [said: Partial<NewPod>, becomes: string])[] = [
  [{ hostNetwork: true }, 'host-network'],
  [{ labels: { 'linkerd.io/control-plane-ns': 'linkerd' } }, 'has-proxy'],
  [{ namespace: 'gatehouse' }, 'never-here'],
  [{ namespace: 'kube-system' }, 'never-here'],
];

test('some pods are left alone although it is asked for', () => {
  for (const [said, becomes] of leftAlone)
    assert.equal(brief(aNewPod({ ...said, namespaceAnnotations: inject('enabled') })), becomes);
  assert.equal(leftAlone.length, 4);
});

const ofNamespace = {
  ...inject('enabled'),
  'config.linkerd.io/opaque-ports': '9042',
  'config.linkerd.io/skip-inbound-ports': '22',
  'config.alpha.linkerd.io/proxy-wait-before-exit-seconds': '5',
  'config.linkerd.io/default-inbound-policy': 'deny',
  'config.linkerd.io/admission-webhooks': 'disabled',
  'retry.linkerd.io/limit': '3',
  owner: 'shop',
};

test("an injected pod bears the mesh's label, and its namespace's settings of proxies where it has none of its own", () => {
  const own = { 'config.linkerd.io/skip-inbound-ports': '80' };
  const injection = injectionOf(
    aNewPod({ annotations: own, namespaceAnnotations: ofNamespace }),
    'gatehouse',
  );
  assert.deepEqual(injection, {
    kind: 'injected',
    mode: 'sidecar',
    labels: { app: 'web', 'linkerd.io/control-plane-ns': 'gatehouse' },
    annotations: {
      'config.linkerd.io/opaque-ports': '9042',
      'config.linkerd.io/skip-inbound-ports': '80',
      'config.alpha.linkerd.io/proxy-wait-before-exit-seconds': '5',
    },
  });
});

test('pods without a proxy and Services inherit what clients have to know of them', () => {
  const pod = aNewPod({ hostNetwork: true, namespaceAnnotations: ofNamespace });
  const opaque = { 'config.linkerd.io/opaque-ports': '9042' };
  assert.deepEqual(injectionOf(pod, 'gatehouse').annotations, opaque);
  assert.deepEqual(annotationsOfService({}, ofNamespace), opaque);
  const own = { 'config.linkerd.io/opaque-ports': '' };
  assert.deepEqual(annotationsOfService(own, ofNamespace), own);
});
