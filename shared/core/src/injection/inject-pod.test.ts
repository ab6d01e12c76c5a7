import assert from 'node:assert/strict';
import { test } from 'node:test';
import { printProblem } from '../problem.ts';
import { proxyAnnotations } from './annotation-table.ts';
import { injectPod, type PodInjection, type PodToInject } from './inject-pod.ts';
import { defaultProxySettings, parseProxySettings } from './proxy-settings.ts';

const mesh = (settings: unknown = {}) => {
  const parsed = parseProxySettings(settings);
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return {
    settings: parsed.value,
    trustAnchors: { pem: '-----BEGIN CERTIFICATE-----\n', sha256: 'a1' },
    createdBy: 'a test',
  };
};

interface Said {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly spec?: Readonly<Record<string, unknown>>;
  readonly namespace?: PodToInject['namespace'];
  readonly owner?: PodToInject['owner'];
  readonly policies?: NonNullable<PodToInject['policies']>;
}

const enabled = { 'linkerd.io/inject': 'enabled' };

const inject = (
  { annotations = {}, labels = {}, spec = {}, namespace, owner, policies }: Said,
  settings?: unknown,
) =>
  injectPod(
    {
      template: {
        metadata: { labels: { app: 'web', ...labels }, annotations: { ...enabled, ...annotations } },
        spec: {
          containers: [{ name: 'app', image: 'an/app', ports: [{ containerPort: 8080, name: 'http' }] }],
          ...spec,
        },
      },
      namespace: namespace ?? { name: 'demo', annotations: {} },
      owner,
      ...(policies === undefined ? {} : { policies }),
    },
    mesh(settings),
  );

interface Container {
  readonly name: string;
  readonly args?: readonly string[];
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly [field: string]: unknown;
}

/** What was added, by path. */
const additionsOf = (injection: PodInjection): ReadonlyMap<string, unknown> => {
  assert.equal(injection.kind, 'injected', JSON.stringify(injection));
  assert.ok(injection.kind === 'injected');
  return new Map(injection.patch.map(({ path, value }) => [path, value]));
};

const containersOf = (injection: PodInjection): readonly Container[] =>
  [...additionsOf(injection)].flatMap(([path, value]) =>
    /^\/spec\/(?:initC|c)ontainers/.test(path)
      ? ((Array.isArray(value) ? value : [value]) as Container[])
      : [],
  );

const proxyOf = (injection: PodInjection): Container => {
  const proxy = containersOf(injection).find(({ name }) => name === 'linkerd-proxy');
  assert.ok(proxy);
  return proxy;
};

const environmentOf = (injection: PodInjection): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries((proxyOf(injection).env ?? []).map(({ name, value }) => [name, value]));

const initArgs = (injection: PodInjection): string =>
  (containersOf(injection).find(({ name }) => name === 'linkerd-init')?.args ?? []).join(' ');

test('the proxy finds our services by absolute names, each under its own identity', () => {
  const env = environmentOf(inject({}));
  const names = Object.fromEntries(Object.entries(env).filter(([name]) => /_SVC_(?:ADDR|NAME)$/.test(name)));
  assert.deepEqual(names, {
    LINKERD2_PROXY_IDENTITY_SVC_ADDR: 'gatehouse-identity-headless.gatehouse.svc.cluster.local.:8080',
    LINKERD2_PROXY_IDENTITY_SVC_NAME:
      'gatehouse-identity.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
    LINKERD2_PROXY_DESTINATION_SVC_ADDR: 'gatehouse-dst-headless.gatehouse.svc.cluster.local.:8086',
    LINKERD2_PROXY_DESTINATION_SVC_NAME:
      'gatehouse-destination.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
    LINKERD2_PROXY_POLICY_SVC_ADDR: 'gatehouse-policy.gatehouse.svc.cluster.local.:8090',
    LINKERD2_PROXY_POLICY_SVC_NAME:
      'gatehouse-policy.gatehouse.serviceaccount.identity.gatehouse.cluster.local',
  });
  assert.equal(
    env.LINKERD2_PROXY_IDENTITY_LOCAL_NAME,
    '$(_pod_sa).$(_pod_ns).serviceaccount.identity.gatehouse.cluster.local',
  );
});

test('a variable stands before those that refer to it, and none is written twice', () => {
  const env = proxyOf(inject({})).env ?? [];
  const names = env.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
  for (const [at, { value = '' }] of env.entries())
    for (const [, referred = ''] of value.matchAll(/\$\((\w+)\)/g))
      assert.ok(names.indexOf(referred) >= 0 && names.indexOf(referred) < at, referred);
});

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

test('the proxy is an init container after proxy-init by default, and a plain container where that is asked for', () => {
  const native = additionsOf(inject({}));
  const [first, second] = native.get('/spec/initContainers') as readonly Container[];
  assert.deepEqual(
    [first?.name, second?.name, second?.restartPolicy],
    ['linkerd-init', 'linkerd-proxy', 'Always'],
  );
  assert.equal(second?.lifecycle, undefined);
  const there = additionsOf(
    inject({ spec: { initContainers: [{ name: 'wait' }], containers: [{ name: 'app' }] } }),
  );
  assert.equal((there.get('/spec/initContainers/0') as Container).name, 'linkerd-init');
  assert.equal((there.get('/spec/initContainers/1') as Container).name, 'linkerd-proxy');

  const plain = additionsOf(
    inject({ annotations: { 'config.linkerd.io/proxy-enable-native-sidecar': 'false' } }),
  );
  const sidecar = plain.get('/spec/containers/0') as Container;
  assert.equal(sidecar.restartPolicy, undefined);
  assert.match(JSON.stringify(sidecar.lifecycle), /postStart.*linkerd-await.*--port=4191/);
  assert.ok(sidecar.startupProbe !== undefined);
  const last = additionsOf(
    inject({
      annotations: {
        'config.alpha.linkerd.io/proxy-enable-native-sidecar': 'false',
        'config.linkerd.io/proxy-await': 'disabled',
        'config.alpha.linkerd.io/proxy-wait-before-exit-seconds': '20',
      },
    }),
  );
  assert.deepEqual((last.get('/spec/containers/-') as Container).lifecycle, {
    preStop: { exec: { command: ['/bin/sleep', '20'] } },
  });
});

test('with a CNI plugin no container has capabilities, and one checks that the plugin did its work', () => {
  const injection = inject({}, { init: { cni: true } });
  const containers = containersOf(injection);
  assert.deepEqual(
    containers.map(({ name }) => name),
    ['linkerd-network-validator', 'linkerd-proxy'],
  );
  for (const { securityContext } of containers)
    assert.match(JSON.stringify(securityContext), /"drop":\["ALL"\].*"runAsNonRoot":true.*RuntimeDefault/);
  const volumes = JSON.stringify(additionsOf(injection).get('/spec/volumes'));
  assert.doesNotMatch(volumes, /xtables/);
});

test('only proxy-init is more than Pod Security `restricted` allows, and only by what its rules need', () => {
  const [init, proxy] = containersOf(inject({}));
  const restricted = {
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    runAsNonRoot: true,
    seccompProfile: { type: 'RuntimeDefault' },
  };
  assert.deepEqual(proxy?.securityContext, {
    ...restricted,
    capabilities: { drop: ['ALL'] },
    runAsUser: 2102,
  });
  assert.deepEqual(init?.securityContext, {
    ...restricted,
    capabilities: { add: ['NET_ADMIN', 'NET_RAW'], drop: ['ALL'] },
    privileged: false,
    runAsGroup: 65534,
    runAsUser: 65534,
  });
});

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

test('a pod without an automounted token is injected: the proxy has a token of its own', () => {
  const injection = inject({ spec: { automountServiceAccountToken: false } });
  assert.match(JSON.stringify(additionsOf(injection).get('/spec/volumes')), /"audience":"identity\.l5d\.io"/);
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

test('in ingress mode the proxy routes by the name that a request asks for', () => {
  assert.equal(
    environmentOf(inject({ annotations: { 'linkerd.io/inject': 'ingress' } })).LINKERD2_PROXY_INGRESS_MODE,
    'true',
  );
  assert.equal(environmentOf(inject({})).LINKERD2_PROXY_INGRESS_MODE, undefined);
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
