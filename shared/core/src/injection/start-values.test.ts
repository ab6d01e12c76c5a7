import assert from 'node:assert/strict';
import { test } from 'node:test';
import { additionsOf, environmentOf, inject, type Said } from '@gatehouse/testing/injected-pod';
import { defaultProxySettings } from './proxy-settings.ts';

test('until policy has spoken the proxy is no looser than what may be in force', () => {
  const policy = 'config.linkerd.io/default-inbound-policy';
  const open = 'all-unauthenticated';
  const cases: readonly (readonly [
    cluster: string,
    namespace: string,
    pod: string,
    selected: boolean,
    starts: string,
  ])[] = [
    ['deny', '', '', false, 'deny'],
    ['deny', open, '', false, 'deny'],
    ['deny', '', open, false, open],
    ['deny', '', open, true, 'deny'],
    [open, '', '', false, open],
    [open, '', '', true, 'deny'],
    [open, 'deny', '', false, 'deny'],
    [open, 'all-authenticated', '', false, 'all-authenticated'],
    [open, 'denied', '', false, 'deny'],
    [open, 'deny', 'cluster-authenticated', false, 'cluster-authenticated'],
  ];
  assert.equal(cases.length, 10);
  for (const [cluster, namespace, pod, select, starts] of cases) {
    const injection = inject(
      {
        annotations: pod === '' ? {} : { [policy]: pod },
        namespace: { name: 'demo', annotations: namespace === '' ? {} : { [policy]: namespace } },
        policies: { select, ports: [] },
      },
      { defaultInboundPolicy: cluster },
    );
    const said = [cluster, namespace, pod, select].join();
    assert.equal(environmentOf(injection).LINKERD2_PROXY_INBOUND_DEFAULT_POLICY, starts, said);
    // Copied, it would stay when the namespace closes.
    assert.ok(!additionsOf(injection).has(`/metadata/annotations/${policy.replace('/', '~1')}`), said);
  }
});

test('declared TCP ports, probed ports and those that policies name are watched from the start', () => {
  const spec = {
    initContainers: [
      { name: 'wait', ports: [{ containerPort: 1 }] },
      { name: 'cache', restartPolicy: 'Always', ports: [{ containerPort: 7000 }] },
    ],
    containers: [
      {
        name: 'app',
        ports: [
          { containerPort: 8080, name: 'http' },
          { containerPort: 53, protocol: 'UDP' },
        ],
        livenessProbe: { tcpSocket: { port: 9999 } },
        readinessProbe: { httpGet: { port: 'http', path: '/' } },
      },
    ],
  };
  const policies = { select: true, ports: [9000, 8080] };
  const watched = environmentOf(inject({ spec, policies })).LINKERD2_PROXY_INBOUND_PORTS;
  assert.equal(watched, '7000,8080,9000,9999');
  const said = { 'config.linkerd.io/pod-inbound-ports': '1000-1010' };
  assert.equal(environmentOf(inject({ annotations: said })).LINKERD2_PROXY_INBOUND_PORTS, '1000-1010');
  assert.equal(
    environmentOf(inject({ spec: { containers: [{ name: 'app' }] } })).LINKERD2_PROXY_INBOUND_PORTS,
    '',
  );
});

test('opaque ports are those of the annotation, names resolved, else those of the cluster', () => {
  const opaque = (annotations: Said['annotations']) =>
    environmentOf(inject({ annotations: annotations ?? {} }))
      .LINKERD2_PROXY_INBOUND_PORTS_DISABLE_PROTOCOL_DETECTION;
  assert.equal(opaque({}), defaultProxySettings.opaquePorts);
  assert.equal(opaque({ 'config.linkerd.io/opaque-ports': 'http, 3306' }), '3306,8080');
  assert.equal(opaque({ 'config.linkerd.io/opaque-ports': '' }), undefined);
});
