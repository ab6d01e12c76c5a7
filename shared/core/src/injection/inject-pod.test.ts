import assert from 'node:assert/strict';
import { test } from 'node:test';
import { additionsOf, inject, type Said } from '@gatehouse/testing/injected-pod';
import { printProblem } from '../problem.ts';

test('a name of more than 253 characters is refused before a pod waits for a certificate that nobody can sign', () => {
  const serviceAccountName = Array.from({ length: 5 }, () => 'b'.repeat(49)).join('.');
  const injection = inject({ spec: { serviceAccountName } });
  assert.ok(injection.kind === 'invalid');
  assert.match(
    injection.problems.map(printProblem).join(),
    /characters, of which a DNS name has at most 253/,
  );
});

test('what is left alone is left alone for a reason, and keeps what clients read', () => {
  const cases: readonly (readonly [Said, string])[] = [
    [{ spec: { hostNetwork: true } }, 'it is on its host network'],
    [{ labels: { 'linkerd.io/control-plane-ns': 'linkerd' } }, 'it has a proxy already'],
    [{ spec: { containers: [{ name: 'app' }, { name: 'linkerd-proxy' }] } }, 'it has a proxy already'],
    [{ spec: { containers: [{ name: 'app' }, { name: 'istio-proxy' }] } }, 'it has a proxy of Istio'],
    [{ spec: { os: { name: 'windows' } } }, 'it runs on Windows, for which there is no proxy'],
    [{ annotations: { 'linkerd.io/inject': 'disabled' } }, 'the annotation linkerd.io/inject says disabled'],
    [
      { namespace: { name: 'kube-system', annotations: {} } },
      'pods of the control plane and of kube-system are never injected',
    ],
  ];
  assert.equal(cases.length, 7);
  for (const [said, sentence] of cases) {
    const injection = inject(said);
    assert.ok(injection.kind === 'left-alone');
    assert.deepEqual([injection.sentence, injection.patch], [sentence, []]);
  }
  const annotations = {
    'config.linkerd.io/opaque-ports': '3306',
    'config.linkerd.io/proxy-log-level': 'info',
  };
  const unmeshed = inject({ spec: { hostNetwork: true }, namespace: { name: 'demo', annotations } });
  assert.ok(unmeshed.kind === 'left-alone');
  assert.deepEqual(unmeshed.patch, [
    { op: 'add', path: '/metadata/annotations/config.linkerd.io~1opaque-ports', value: '3306' },
  ]);
});

test('what works and not as its author may think is said', () => {
  const warningsOf = (said: Said): readonly string[] => {
    const injection = inject(said);
    return injection.kind === 'injected' ? injection.warnings : [injection.kind];
  };
  const container = (more: Readonly<Record<string, unknown>>) => ({
    spec: { containers: [{ name: 'app', ...more }] },
  });
  const cases: readonly (readonly [Said, string])[] = [
    [
      container({ ports: [{ containerPort: 53, protocol: 'UDP' }] }),
      'container `app` has a UDP port, which the proxy does not see',
    ],
    [
      container({ ports: [{ containerPort: 4191 }] }),
      "container `app` has port 4191, which is the proxy's admin port, too",
    ],
    [
      container({ securityContext: { runAsUser: 2102 } }),
      'container `app` runs as user 2102, as the proxy does: its connections bypass the mesh',
    ],
    [
      { annotations: { 'config.linkerd.io/opaque-port': '3306' } },
      'metadata.annotations[config.linkerd.io/opaque-port] means nothing to Gatehouse: config.linkerd.io/opaque-ports is meant?',
    ],
    [
      {
        owner: { kind: 'Job', name: 'once' },
        annotations: { 'config.linkerd.io/proxy-enable-native-sidecar': 'false' },
      },
      'a Job with a plain sidecar does not end: use native sidecars, or have it POST to /shutdown of the proxy',
    ],
    [
      { owner: { kind: 'Deployment', name: 'd'.repeat(64) } },
      `the label linkerd.io/proxy-deployment is left out: \`${'d'.repeat(64)}\` has more than 63 characters`,
    ],
  ];
  assert.equal(cases.length, 6);
  for (const [said, warning] of cases) assert.deepEqual(warningsOf(said), [warning]);
  assert.deepEqual(warningsOf({}), []);
});

test('labels say whose pod it is, as dashboards of Linkerd expect', () => {
  const additions = additionsOf(inject({ owner: { kind: 'StatefulSet', name: 'db' } }));
  const labels = [...additions].filter(([path]) => path.startsWith('/metadata/labels/'));
  assert.deepEqual(labels, [
    ['/metadata/labels/linkerd.io~1control-plane-ns', 'gatehouse'],
    ['/metadata/labels/linkerd.io~1proxy-statefulset', 'db'],
    ['/metadata/labels/linkerd.io~1workload-ns', 'demo'],
  ]);
});
