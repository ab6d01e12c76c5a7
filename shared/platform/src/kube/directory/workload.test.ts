import assert from 'node:assert/strict';
import { test } from 'node:test';
import { usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { printProblem } from '@gatehouse/core/problem';
import type { WireObject } from '../parse/fields.ts';
import { defaultUid } from './default-uid.ts';
import { expandWorkload, readWorkload, type Workload, type WorkloadKind } from './workload.ts';

const template = {
  metadata: { labels: { app: 'web' }, annotations: { 'linkerd.io/inject': 'enabled' } },
  spec: { serviceAccountName: 'web', containers: [{ ports: [{ name: 'http', containerPort: 8080 }] }] },
};
const wire = (kind: WorkloadKind, spec: object = {}, metadata: object = {}): WireObject => ({
  apiVersion: 'apps/v1',
  kind,
  metadata: { name: 'web', namespace: 'demo', ...metadata },
  spec: { template, ...spec },
});
const read = (kind: WorkloadKind, spec?: object, metadata?: object): Workload => {
  const result = readWorkload(wire(kind, spec, metadata), kind);
  if (!result.ok || result.value.workload === undefined) throw new TypeError('no workload');
  assert.deepEqual(result.value.problems, []);
  return result.value.workload;
};
const names = (workload: Workload, nodes: readonly string[] = []): readonly string[] =>
  expandWorkload(workload, nodes).map(({ meta }) => meta.name);

test('the pods of a Deployment are those of its template, and belong to it', () => {
  const [pod] = expandWorkload(read('Deployment', {}, { creationTimestamp: '2026-01-31T12:00:00Z' }), []);
  assert.deepEqual(pod, {
    kind: 'Pod',
    meta: {
      namespace: 'demo',
      name: 'web-0',
      uid: defaultUid('Pod', 'demo', 'web-0'),
      createdAt: Date.UTC(2026, 0, 31, 12),
      labels: { app: 'web', 'pod-template-hash': pod?.meta.labels['pod-template-hash'] },
      annotations: { 'linkerd.io/inject': 'enabled' },
    },
    spec: {
      serviceAccount: 'web',
      nodeName: '',
      ips: [],
      hostIps: [],
      hostNetwork: false,
      phase: 'Running',
      ready: true,
      terminated: false,
      ports: [{ name: 'http', port: 8080 }],
      probes: [],
      owner: { kind: 'Deployment', name: 'web' },
      hostname: '',
      subdomain: '',
      proxyPorts: usualProxyPorts,
      proxyListensOn: 'unsaid',
    },
  });
});

test('there is one replica unless the manifest says how many, and none when it says none', () => {
  assert.deepEqual(names(read('Deployment')), ['web-0']);
  assert.deepEqual(names(read('Deployment', { replicas: 3 })), ['web-0', 'web-1', 'web-2']);
  assert.deepEqual(names(read('StatefulSet', { replicas: 0 })), []);
});

test('the pods of a StatefulSet have their names as host names below its Service', () => {
  const pods = expandWorkload(read('StatefulSet', { replicas: 2, serviceName: 'db' }), []);
  assert.deepEqual(
    pods.map(({ spec: { hostname, subdomain, owner } }) => [hostname, subdomain, owner?.kind]),
    [
      ['web-0', 'db', 'StatefulSet'],
      ['web-1', 'db', 'StatefulSet'],
    ],
  );
});

test('the pods of a StatefulSet are numbered from where it says, and bear name and number', () => {
  const pods = expandWorkload(read('StatefulSet', { replicas: 2, ordinals: { start: 5 } }), []);
  const revision = pods[0]?.meta.labels['controller-revision-hash'];
  assert.match(revision ?? '', /^web-[0-9a-f]{10}$/);
  assert.deepEqual(
    pods.map(({ meta }) => meta.labels),
    [5, 6].map((number) => ({
      app: 'web',
      'statefulset.kubernetes.io/pod-name': `web-${number}`,
      'apps.kubernetes.io/pod-index': `${number}`,
      'controller-revision-hash': revision,
    })),
  );
  assert.deepEqual(names(read('Deployment', { ordinals: { start: 5 } })), ['web-0']);
});

test('the labels of a revision follow the template and nothing else', () => {
  const kinds = [
    ['Deployment', 'pod-template-hash'],
    ['StatefulSet', 'controller-revision-hash'],
    ['DaemonSet', 'controller-revision-hash'],
  ] as const;
  for (const [kind, label] of kinds) {
    const revisionOf = (spec: object): string | undefined =>
      expandWorkload(read(kind, spec), []).at(-1)?.meta.labels[label];
    assert.match(revisionOf({}) ?? '', /[0-9a-f]{10}$/);
    assert.equal(revisionOf({}), revisionOf({ replicas: 3, minReadySeconds: 5 }));
    assert.notEqual(revisionOf({}), revisionOf({ template: { ...template, spec: {} } }));
  }
});

test('a DaemonSet has one pod on each node, and one where there are no nodes', () => {
  const daemon = read('DaemonSet', { replicas: 7 });
  const placed = (nodes: readonly string[]) =>
    expandWorkload(daemon, nodes).map(({ meta, spec }) => [meta.name, spec.nodeName]);
  assert.deepEqual(placed(['a', 'b']), [
    ['web-0', 'a'],
    ['web-1', 'b'],
  ]);
  assert.deepEqual(placed([]), [['web-0', '']]);
});

test('a workload of another uid has pods of other uids', () => {
  const uids = [{}, { uid: '1' }, { uid: 2 }, { uid: '' }].map(
    (metadata) => expandWorkload(read('Deployment', {}, metadata), [])[0]?.meta.uid,
  );
  assert.equal(new Set(uids).size, 3);
  assert.equal(uids[0], uids[3]);
});

const mistakes: readonly (readonly [spec: unknown, problems: readonly string[], replicas: number])[] = [
  [
    { template, replicas: '3' },
    ['spec.replicas: `3` is not a number from 0 to 10000: a whole number, without quotes'],
    1,
  ],
  [
    { template, replicas: -1 },
    ['spec.replicas: the number -1 is not a number from 0 to 10000: a whole number, without quotes'],
    1,
  ],
  [
    { template, replicas: 1e9 },
    ['spec.replicas: the number 1000000000 is not a number from 0 to 10000: a whole number, without quotes'],
    1,
  ],
  [
    { template, ordinals: { start: -1 } },
    [
      'spec.ordinals.start: the number -1 is not a number from 0 to 2147483647: a whole number, without quotes',
    ],
    1,
  ],
  [{}, ['spec.template: missing: say what the pods are'], 1],
  [
    { template: { metadata: { labels: { app: 1 } }, spec: { hostNetwork: 'no' } } },
    [
      'spec.template.metadata.labels[app]: the number 1 is not text: read as "1": put it in quotes',
      'spec.template.spec.hostNetwork: `no` is neither true nor false: use true or false, without quotes',
    ],
    1,
  ],
];

test('a field that cannot be read costs that field, and is told where it stands', () => {
  for (const [spec, problems, replicas] of mistakes) {
    const result = readWorkload({ ...wire('StatefulSet'), spec }, 'StatefulSet');
    assert.deepEqual(result.ok && result.value.problems.map(printProblem), problems);
    assert.equal(result.ok && result.value.workload?.replicas, replicas);
  }
  assert.equal(mistakes.length, 6);
});

test('a workload that cannot be named is not read, and one with an impossible name does not exist', () => {
  assert.equal(readWorkload(wire('Deployment', {}, { name: undefined }), 'Deployment').ok, false);
  const refused = readWorkload(wire('Deployment', {}, { name: 'A' }), 'Deployment');
  assert.equal(refused.ok && refused.value.workload, undefined);
  assert.equal(refused.ok && refused.value.problems[0]?.field, 'metadata.name');
});
