import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  additionsOf,
  containersOf,
  environmentOf,
  initArgs,
  inject,
  type Said,
} from '@gatehouse/testing/injected-pod';
import { printProblem } from '../problem.ts';
import { proxyAnnotations } from './annotation-table.ts';

test('every annotation that configures proxies changes what is written', () => {
  const samples: Readonly<Record<string, string>> = {
    'config.alpha.linkerd.io/proxy-wait-before-exit-seconds': '5',
    'access-log': 'json',
    'admin-port': '5191',
    'close-wait-timeout': '1m30s',
    'control-port': '5190',
    'debug-image': 'my/debug',
    'debug-image-pull-policy': 'Never',
    'debug-image-version': 'v1',
    'default-inbound-policy': 'all-authenticated',
    'enable-debug-sidecar': 'true',
    'enable-external-profiles': 'true',
    'enable-gateway': 'true',
    'image-pull-policy': 'Always',
    'inbound-port': '5143',
    'opaque-ports': '8080',
    'outbound-port': '5140',
    'pod-inbound-ports': '1',
    'proxy-additional-env': '[{"name":"A","value":"b"}]',
    'proxy-admin-shutdown': 'enabled',
    'proxy-await': 'disabled',
    'proxy-cpu-limit': '1500m',
    'proxy-cpu-ratio-limit': '0.5',
    'proxy-cpu-request': '100m',
    'proxy-disable-inbound-protocol-detect-timeout': 'true',
    'proxy-disable-outbound-protocol-detect-timeout': 'true',
    'proxy-enable-native-sidecar': 'false',
    'proxy-ephemeral-storage-limit': '1Gi',
    'proxy-ephemeral-storage-request': '1Mi',
    'proxy-gid': '2102',
    'proxy-image': 'my.registry:5000/proxy',
    'proxy-inbound-connect-timeout': '1.5s',
    'proxy-inbound-discovery-cache-unused-timeout': '60s',
    'proxy-log-format': 'json',
    'proxy-log-http-headers': 'insecure',
    'proxy-log-level': 'debug',
    'proxy-memory-limit': '100Mi',
    'proxy-memory-request': '50Mi',
    'proxy-metrics-hostname-labels': 'true',
    'proxy-outbound-connect-timeout': '2s',
    'proxy-outbound-discovery-cache-unused-timeout': '7s',
    'proxy-uid': '2103',
    'proxy-version': 'v9',
    'shutdown-grace-period': '1m',
    'skip-inbound-ports': '5000',
    'skip-outbound-ports': '5001',
    'skip-subnets': '10.9.0.0/16',
  };
  /** Read by others: policy, and the selectors of webhooks. */
  const elsewhere = ['proxy-require-identity-inbound-ports', 'admission-webhooks'];
  /** Seen only together with another. */
  const debug = { 'config.linkerd.io/enable-debug-sidecar': 'true' };
  const plain = { 'config.linkerd.io/proxy-enable-native-sidecar': 'false' };
  const tried = proxyAnnotations().flatMap(({ name }) => {
    const short = name.replace(/^config\.linkerd\.io\//, '');
    if (elsewhere.includes(short)) return [];
    const value = samples[short];
    assert.ok(value !== undefined, `no sample of ${name}`);
    const beside = short.startsWith('debug-') ? debug : /wait-before/.test(short) ? plain : {};
    const containers = (annotations: Readonly<Record<string, string>>) =>
      JSON.stringify(containersOf(inject({ annotations })));
    assert.notEqual(containers({ ...beside, [name]: value }), containers(beside), name);
    return [short];
  });
  assert.equal(tried.length, Object.keys(samples).length);
});

test('network rules leave out what annotations say, and services can see on the pod where no policy holds', () => {
  const annotations = {
    'config.linkerd.io/skip-inbound-ports': '5000-5010',
    'config.linkerd.io/skip-outbound-ports': '3306',
    'config.linkerd.io/skip-subnets': '10.9.0.0/16',
    'config.linkerd.io/close-wait-timeout': '1m30s',
  };
  assert.match(
    initArgs(inject({ annotations })),
    /--inbound-ports-to-ignore 4190,4191,5000-5010 --outbound-ports-to-ignore 3306 --subnets-to-ignore 10\.9\.0\.0\/16 --timeout-close-wait-secs 90$/,
  );
  const byDefault = inject({}, { init: { skipInboundPorts: '4567' } });
  const additions = additionsOf(byDefault);
  assert.match(initArgs(byDefault), /4190,4191,4567/);
  assert.equal(additions.get('/metadata/annotations/config.linkerd.io~1skip-inbound-ports'), '4567');
  assert.equal(
    additions.get('/metadata/annotations/linkerd.io~1inherited-annotations'),
    'config.linkerd.io/skip-inbound-ports',
  );
});

test('a pod inherits the settings of its namespace, its own win, and variables are merged by name', () => {
  const namespace = {
    name: 'demo',
    annotations: {
      'config.linkerd.io/proxy-log-level': 'info',
      'config.linkerd.io/proxy-cpu-limit': '2500m',
      'config.linkerd.io/proxy-additional-env': '[{"name":"A","value":"ns"},{"name":"B","value":"ns"}]',
    },
  };
  const annotations = {
    'config.linkerd.io/proxy-log-level': 'trace',
    'config.linkerd.io/proxy-additional-env': '[{"name":"B","value":"pod"}]',
  };
  const injection = inject(
    { annotations, namespace },
    { proxy: { environment: [{ name: 'C', value: 'mesh' }] } },
  );
  const { A, B, C, LINKERD2_PROXY_LOG: log, LINKERD2_PROXY_CORES_MAX: most } = environmentOf(injection);
  assert.deepEqual({ A, B, C, most }, { A: 'ns', B: 'pod', C: 'mesh', most: '3' });
  assert.match(log ?? '', /^trace,/);
  assert.equal(
    additionsOf(injection).get('/metadata/annotations/config.linkerd.io~1proxy-cpu-limit'),
    '2500m',
  );
});

test('a value that means nothing is an error that names annotation, value and fix', () => {
  const cases: readonly (readonly [Said, string])[] = [
    [
      { annotations: { 'linkerd.io/inject': 'enabeld' } },
      'metadata.annotations[linkerd.io/inject]: `enabeld` is not known: enabled is meant? use enabled, ingress, disabled',
    ],
    [
      { namespace: { name: 'demo', annotations: { 'linkerd.io/inject': 'true' } } },
      'annotation linkerd.io/inject of namespace demo: `true` is not known: use enabled, ingress, disabled',
    ],
    [
      { annotations: { 'config.linkerd.io/default-inbound-policy': 'denyy' } },
      'metadata.annotations[config.linkerd.io/default-inbound-policy]: `denyy` is not known: deny is meant? use one of ' +
        'all-unauthenticated, all-authenticated, cluster-unauthenticated, cluster-authenticated, deny, audit',
    ],
    [
      { namespace: { name: 'demo', annotations: { 'config.linkerd.io/proxy-cpu-request': 'much' } } },
      'annotation config.linkerd.io/proxy-cpu-request of namespace demo: `much` is not a valid quantity: write cores such as 100m or 2, bytes such as 64Mi',
    ],
    [
      { annotations: { 'config.linkerd.io/admin-port': '4143' } },
      'proxy.ports.admin: 4143 is the inbound port, too: give each of inbound, outbound, admin and control a port of its own',
    ],
    [
      { annotations: { 'config.linkerd.io/proxy-additional-env': '{' } },
      'metadata.annotations[config.linkerd.io/proxy-additional-env]: `{` is not valid JSON: write a list such as [{"name": "LINKERD2_PROXY_CORES", "value": "2"}]',
    ],
    [
      { spec: { serviceAccountName: 'a'.repeat(64) } },
      `spec.serviceAccountName: \`${'a'.repeat(64)}\` gives the identity \`${'a'.repeat(64)}.demo.serviceaccount.identity.gatehouse.cluster.local\`, which has a label that is not valid in a DNS name (1 to 63 letters, digits and hyphens): use a ServiceAccount with a shorter name`,
    ],
    [
      { spec: { containers: [] } },
      'spec.containers: is missing or empty: a pod needs at least one container',
    ],
    [
      { spec: { hostNetwork: 'yes' } },
      'spec.hostNetwork: is neither true nor false: write true or false, without quotes',
    ],
  ];
  assert.equal(cases.length, 9);
  for (const [said, expected] of cases) {
    const injection = inject(said);
    assert.ok(injection.kind === 'invalid', JSON.stringify(injection));
    assert.deepEqual(injection.problems.map(printProblem), [expected]);
  }
});
