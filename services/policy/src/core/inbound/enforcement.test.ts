import assert from 'node:assert/strict';
import test from 'node:test';
import { controlPlaneLabel } from '@gatehouse/core/mesh/workload';
import { anExternalWorkload, aPod } from '@gatehouse/testing/builders';
import { podEnforcement, portEnforcement, workloadEnforcement } from './enforcement.ts';

const facts = {
  mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
  namespaceAnnotations: {},
};

test('a pod that policy is not enforced on is told for which reason', () => {
  const unmeshed = { meshed: false } as const;
  const inject = (value: string) => ({ annotations: { 'linkerd.io/inject': value } });
  const cases: readonly (readonly [Parameters<typeof aPod>[0], string, RegExp])[] = [
    [{ phase: 'Succeeded' }, 'ended', /has ended/],
    [{ terminated: true, hostNetwork: true }, 'ended', /has ended/],
    [{ hostNetwork: true }, 'host-network', /on its host network/],
    [{ ...unmeshed, hostNetwork: true }, 'host-network', /on its host network/],
    [
      { ...unmeshed, labels: { [controlPlaneLabel]: 'linkerd' } },
      'other-mesh',
      /linkerd\.io\/control-plane-ns is linkerd, not gatehouse/,
    ],
    [unmeshed, 'unmeshed', /neither it nor its namespace has the annotation linkerd\.io\/inject: enabled/],
    [{ ...unmeshed, ...inject('disabled') }, 'unmeshed', /says disabled/],
    [{ ...unmeshed, ...inject('yes') }, 'unmeshed', /its annotation .* has a value that means nothing/],
    [{ ...unmeshed, ...inject('enabled') }, 'unmeshed', /made before injection was enabled, so delete it/],
    [{ ...unmeshed, namespace: 'kube-system' }, 'unmeshed', /never injected/],
  ];
  assert.equal(cases.length, 10);
  for (const [said, reason, why] of cases) {
    const enforcement = podEnforcement(aPod(said), facts);
    if (enforcement.kind === 'enforced') assert.fail(JSON.stringify(said));
    assert.equal(enforcement.reason, reason);
    assert.match(enforcement.why, why);
    // What is true of the pod is true of each of its ports, in the same words.
    assert.deepEqual(portEnforcement(aPod(said), 8080, facts), enforcement);
  }
  assert.deepEqual(podEnforcement(aPod(), facts), { kind: 'enforced' });
});

test('a skipped port of a meshed pod is not enforced, its other ports are', () => {
  const pod = aPod({ annotations: { 'config.linkerd.io/skip-inbound-ports': '9000-9002' } });
  assert.deepEqual(podEnforcement(pod, facts), { kind: 'enforced' });
  assert.deepEqual(portEnforcement(pod, 8080, facts), { kind: 'enforced' });
  assert.deepEqual(portEnforcement(pod, 9001, facts), {
    kind: 'not-enforced',
    reason: 'skipped-port',
    why: 'the port is in skip-inbound-ports',
  });
});

test('an ExternalWorkload has its proxy, whatever annotations would do to a pod', () => {
  const outside = anExternalWorkload({
    labels: {},
    annotations: { 'config.linkerd.io/skip-inbound-ports': '8080', 'linkerd.io/inject': 'disabled' },
  });
  assert.deepEqual(workloadEnforcement(outside, facts), { kind: 'enforced' });
  assert.deepEqual(portEnforcement(outside, 8080, facts), { kind: 'enforced' });
});
