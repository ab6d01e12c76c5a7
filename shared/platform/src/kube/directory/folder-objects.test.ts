import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import { isRejected, type Kind, type KubeObject } from '@gatehouse/core/resources/kinds';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject, type WireSaid } from '@gatehouse/testing/wire-objects';
import type { WireObject } from '../parse/fields.ts';
import { defaultUid } from './default-uid.ts';
import { composeWorld, type World } from './folder-objects.ts';
import { type Manifest, parseManifest } from './manifest.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const manifest = (path: string, ...objects: readonly WireObject[]): Manifest =>
  parseManifest(path, undefined, { bytes: bytes(asManifest(...objects)) });
/** A manifest that held these objects and then was filled with garbage. */
const broken = (path: string, ...objects: readonly WireObject[]): Manifest =>
  parseManifest(path, manifest(path, ...objects), { bytes: bytes('kind: [') });

const compose = (...manifests: readonly Manifest[]): World => composeWorld(manifests, 'gatehouse');
const find = <K extends Kind>(
  world: World,
  kind: K,
  name: string,
  namespace = 'demo',
): KubeObject<K> | undefined =>
  world.objects.get(`${kind}/${namespace}/${name}`) as KubeObject<K> | undefined;
const texts = (world: World): readonly string[] => world.warnings.map(({ path, text }) => `${path}: ${text}`);

const aPod = (name: string, said: WireSaid = {}): WireObject =>
  aWireObject('Pod', { name, spec: {}, ...said });
const aNamespace = (annotations: object = {}): WireObject =>
  aWireObject('Namespace', { name: 'demo', metadata: { annotations } });
const aServer = (said: WireSaid = {}): WireObject =>
  aWireObject('Server', {
    name: 'web',
    spec: { podSelector: { matchLabels: { app: 'web' } }, port: 80 },
    ...said,
  });
const aDeployment = (name: string, spec: object): WireObject => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'demo' },
  spec,
});
const policy = (value: string) => ({ 'config.linkerd.io/default-inbound-policy': value });
const inject = (value: string) => ({ 'linkerd.io/inject': value });

suite('what manifests leave out', () => {
  test('is there: namespace, uid, address, and that a pod runs and is ready', () => {
    const world = compose(manifest('a.yaml', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'a' } }));
    const pod = find(world, 'Pod', 'a', 'default');
    assert.deepEqual(
      [pod?.meta.uid, pod?.spec.phase, pod?.spec.ready, pod?.spec.ips.length, pod?.meta.createdAt],
      [defaultUid('Pod', 'default', 'a'), 'Running', true, 1, 0],
    );
    assert.deepEqual(find(world, 'Namespace', 'default', '')?.meta.labels, {
      'kubernetes.io/metadata.name': 'default',
    });
    assert.equal(
      find(world, 'ServiceAccount', 'default', 'default')?.meta.uid,
      defaultUid('ServiceAccount', 'default', 'default'),
    );
  });

  test('never replaces what they say', () => {
    const status = { phase: 'Pending', podIPs: [{ ip: '10.0.0.1' }] };
    const world = compose(
      manifest('a.yaml', aPod('a', { uid: 'u', status }), aPod('b', { status: { conditions: [] } })),
    );
    const [a, b] = [find(world, 'Pod', 'a'), find(world, 'Pod', 'b')];
    assert.deepEqual(
      [a?.meta.uid, a?.spec.phase, a?.spec.ready, a?.spec.ips],
      ['u', 'Pending', false, ['10.0.0.1']],
    );
    assert.deepEqual([b?.spec.phase, b?.spec.ready], ['Running', false]);
  });

  test('is there for Services with an address of their own, not for headless and external ones', () => {
    const services = [
      aWireObject('Service', { name: 'web', spec: {} }),
      aWireObject('Service', { name: 'none', spec: { clusterIP: 'None' } }),
      aWireObject('Service', { name: 'out', spec: { type: 'ExternalName' } }),
      aWireObject('Service', { name: 'own', spec: { clusterIP: '10.0.0.1' } }),
    ];
    const world = compose(manifest('a.yaml', ...services));
    const ips = ['web', 'none', 'out', 'own'].map((name) => find(world, 'Service', name)?.spec.clusterIps);
    assert.match(String(ips[0]), /^127\.1(?:2[89]|[3-8]\d|9[01])\./);
    assert.deepEqual(ips.slice(1), [[], [], ['10.0.0.1']]);
  });

  test('is there for the control plane: unmeshed pods and ServiceAccounts, even where everything is injected', () => {
    const world = composeWorld(
      [
        manifest(
          'a.yaml',
          aWireObject('Namespace', { name: 'mesh', metadata: { annotations: inject('enabled') } }),
        ),
      ],
      'mesh',
    );
    for (const name of ['gatehouse-identity', 'gatehouse-destination', 'gatehouse-policy']) {
      const pod = find(world, 'Pod', name, 'mesh');
      assert.deepEqual([pod?.spec.serviceAccount, pod?.spec.ips.length, pod?.meta.labels], [name, 1, {}]);
      assert.notEqual(find(world, 'ServiceAccount', name, 'mesh'), undefined);
    }
    assert.notEqual(find(world, 'ServiceAccount', 'default', 'mesh'), undefined);
  });

  test('gives way to a control-plane pod that is written', () => {
    const written = aPod('gatehouse-identity', {
      namespace: 'gatehouse',
      uid: 'mine',
      spec: { serviceAccountName: 'gatehouse-identity' },
    });
    assert.equal(
      find(compose(manifest('a.yaml', written)), 'Pod', 'gatehouse-identity', 'gatehouse')?.meta.uid,
      'mine',
    );
  });
});

suite('a pod is meshed', () => {
  const cases: readonly (readonly [
    what: string,
    namespace: WireObject,
    metadata: WireObject,
    label: string | undefined,
  ])[] = [
    ['by its own label', {}, { labels: { 'linkerd.io/control-plane-ns': 'gatehouse' } }, 'gatehouse'],
    ['by its annotation', {}, { annotations: inject('enabled') }, 'gatehouse'],
    ["by its namespace's annotation", inject('enabled'), {}, 'gatehouse'],
    ['not when it says otherwise', inject('enabled'), { annotations: inject('disabled') }, undefined],
    ['not when its namespace says otherwise', inject('disabled'), {}, undefined],
    ['not when nobody says so', {}, {}, undefined],
    ['in ingress mode', {}, { annotations: inject('ingress') }, 'gatehouse'],
    ['not by a word that means nothing', inject('enabled'), { annotations: inject('true') }, undefined],
    [
      'not of ours when it has the proxy of another mesh',
      inject('enabled'),
      { labels: { 'linkerd.io/control-plane-ns': 'other' } },
      'other',
    ],
  ];

  test('by its label, or by its annotation or that of its namespace', () => {
    for (const [what, annotations, metadata, label] of cases) {
      const world = compose(manifest('a.yaml', aNamespace(annotations), aPod('a', { metadata })));
      assert.equal(find(world, 'Pod', 'a')?.meta.labels['linkerd.io/control-plane-ns'], label, what);
    }
    assert.equal(cases.length, 9);
  });

  test("not on its host's network, whatever it says", () => {
    const spec = { hostNetwork: true };
    const pod = aPod('a', { spec, metadata: { annotations: inject('enabled') } });
    const world = compose(manifest('a.yaml', aNamespace(), pod));
    assert.equal(find(world, 'Pod', 'a')?.meta.labels['linkerd.io/control-plane-ns'], undefined);
  });

  test('not without a word to the person who misspelt it, of a namespace once', () => {
    const said = (namespace: object, ...pods: readonly WireObject[]) =>
      texts(compose(manifest('a.yaml', aNamespace(namespace), ...pods)));
    assert.deepEqual(said({}, aPod('a', { metadata: { annotations: inject('true') } })), [
      'a.yaml: Pod demo/a: linkerd.io/inject is `true`, so it gets no proxy: use enabled, ingress, disabled',
    ]);
    assert.deepEqual(said(inject('Enabled'), aPod('a'), aPod('b')), [
      'a.yaml: Namespace demo: linkerd.io/inject is `Enabled`, so its pods get no proxy: use enabled, ingress, disabled',
    ]);
  });

  test("with its namespace's settings of proxies, of which its Services have the opaque ports too", () => {
    const settings = {
      'config.linkerd.io/opaque-ports': '9042',
      'config.linkerd.io/skip-inbound-ports': '22',
    };
    const world = compose(
      manifest(
        'a.yaml',
        aNamespace({ ...inject('enabled'), ...policy('deny'), ...settings }),
        aPod('a'),
        aWireObject('Service', { name: 'a', spec: { ports: [{ port: 80 }] } }),
      ),
    );
    assert.deepEqual(find(world, 'Pod', 'a')?.meta.annotations, settings);
    assert.deepEqual(find(world, 'Service', 'a')?.meta.annotations, {
      'config.linkerd.io/opaque-ports': '9042',
    });
  });

  test('when its Deployment is in an injected namespace', () => {
    const world = compose(
      manifest('b.yaml', aDeployment('web', { template: {} })),
      manifest('a.yaml', aNamespace(inject('enabled'))),
    );
    assert.equal(find(world, 'Pod', 'web-0')?.meta.labels['linkerd.io/control-plane-ns'], 'gatehouse');
  });
});

suite('what a namespace says that cannot be read', () => {
  test('is unknown of its pods, which count as injected', () => {
    const namespace = aWireObject('Namespace', { name: 'demo', metadata: { annotations: 'inject' } });
    const pod = find(compose(manifest('a.yaml', namespace, aPod('a'))), 'Pod', 'a');
    assert.deepEqual(
      [pod?.meta.labels['linkerd.io/control-plane-ns'], pod?.meta.unreadTexts],
      ['gatehouse', ['annotations']],
    );
  });

  test('is unknown of the labels of one that a manifest may hold which was never read', () => {
    const unread = (about: string): Manifest =>
      manifest('b.yaml', aWireObject('Server', { namespace: about, metadata: { name: 7 } }));
    const said = (about: string) =>
      find(compose(manifest('a.yaml', aPod('a')), unread(about)), 'Namespace', 'demo', '')?.meta.unreadTexts;
    assert.deepEqual([said('demo'), said('other')], [['labels'], undefined]);
  });
});

suite('one object in two manifests', () => {
  test('is rejected when it is of a policy kind, and closes what its copies agree to close', () => {
    const world = compose(manifest('b.yaml', aServer()), manifest('a.yaml', aServer()));
    const spec = find(world, 'Server', 'web')?.spec;
    assert.deepEqual(spec !== undefined && isRejected(spec) && spec, {
      rejected: [
        {
          field: 'metadata.name',
          found: 'Server demo/web is written 2 times, in a.yaml, b.yaml',
          fix: 'keep one of them',
        },
      ],
      closes: {
        selector: { matchLabels: { app: 'web' }, matchExpressions: [] },
        ports: [{ kind: 'range', first: 80, last: 80 }],
      },
      closesExternal: { selector: { matchLabels: {}, matchExpressions: [] }, ports: [] },
      governs: 'surely',
      proxyProtocol: 'unknown',
    });
  });

  test('closes its whole namespace when its copies differ in what they close', () => {
    const world = compose(manifest('a.yaml', aServer(), aServer({ spec: { podSelector: {}, port: 81 } })));
    const spec = find(world, 'Server', 'web')?.spec;
    assert.deepEqual(spec !== undefined && isRejected(spec) && [spec.closes, spec.governs], [
      { selector: everything, ports: 'all' },
      'perhaps',
    ]);
  });

  test('stays attached to the Servers of all its copies when it is a route', () => {
    const route = (server: string): WireObject =>
      aWireObject('HTTPRoute', { name: 'r', spec: { parentRefs: [{ kind: 'Server', name: server }] } });
    const attachedTo = (...routes: readonly WireObject[]) => {
      const spec = find(compose(manifest('a.yaml', ...routes)), 'HTTPRoute', 'r')?.spec;
      return spec !== undefined && isRejected(spec) && spec.attachedTo;
    };
    assert.deepEqual(attachedTo(route('b'), route('a'), route('b')), ['a', 'b']);
    assert.deepEqual(
      attachedTo(route('b'), aWireObject('HTTPRoute', { name: 'r', spec: { parentRefs: [{}] } })),
      'all',
    );
  });

  test('keeps the requests on which its copies agree when it is a route, in the place of the oldest', () => {
    const route = (path: string, creationTimestamp: string, more: WireObject = {}): WireObject =>
      aWireObject('HTTPRoute', {
        name: 'r',
        metadata: { creationTimestamp },
        spec: {
          parentRefs: [{ kind: 'Server', name: 'web' }],
          rules: [{ matches: [{ path: { value: path } }] }],
          ...more,
        },
      });
    const merged = (...routes: readonly WireObject[]) => {
      const object = find(compose(manifest('a.yaml', ...routes)), 'HTTPRoute', 'r');
      assert.ok(object !== undefined && isRejected(object.spec));
      const paths = object.spec.keeps.map(({ matches }) => matches.map(({ path }) => path?.value));
      return [paths, object.spec.extent, object.meta.createdAt];
    };
    const [young, old] = [route('/a', '2026-01-02T00:00:00Z'), route('/a', '2026-01-01T00:00:00Z')];
    assert.deepEqual(merged(young, old), [[['/a']], 'known', Date.UTC(2026, 0, 1)]);
    const another = route('/b', '2026-01-03T00:00:00Z');
    assert.deepEqual(merged(young, another), [[], 'unknown', Date.UTC(2026, 0, 2)]);
    const typo = route('/a', '2026-01-03T00:00:00Z', { hostname: [] });
    assert.deepEqual(merged(young, typo), [[], 'unknown', Date.UTC(2026, 0, 2)]);
  });

  test('is that of the first path when it is of a core kind, with a warning', () => {
    const world = compose(
      manifest('b.yaml', aPod('a', { uid: 'b' })),
      manifest('a.yaml', aPod('a', { uid: 'a' })),
    );
    assert.equal(find(world, 'Pod', 'a')?.meta.uid, 'a');
    assert.deepEqual(texts(world), [
      'a.yaml: Pod demo/a is written 2 times, in a.yaml, b.yaml: the first copy counts',
    ]);
  });

  const denials: readonly (readonly [
    what: string,
    policies: readonly (string | undefined)[],
    counts: string | undefined,
  ])[] = [
    ['the same', ['all-unauthenticated', 'all-unauthenticated'], 'all-unauthenticated'],
    ['another', ['all-unauthenticated', 'all-authenticated'], 'deny'],
    ['none beside one', [undefined, 'all-unauthenticated'], 'deny'],
    ['one beside none', ['all-unauthenticated', undefined], 'deny'],
    ['none', [undefined, undefined], undefined],
  ];

  test('means deny when its copies differ in the default policy', () => {
    for (const [what, policies, counts] of denials) {
      const annotations = (value: string | undefined) => (value === undefined ? {} : policy(value));
      const namespaces = policies.map((value, index) =>
        manifest(`${index}.yaml`, aNamespace(annotations(value))),
      );
      const pods = policies.map((value, index) =>
        manifest(`p${index}.yaml`, aPod('a', { metadata: { annotations: annotations(value) } })),
      );
      const workloads = policies.map((value, index) =>
        manifest(
          `w${index}.yaml`,
          aDeployment('web', { template: { metadata: { annotations: annotations(value) } } }),
        ),
      );
      const world = compose(...namespaces, ...pods, ...workloads);
      for (const object of [
        find(world, 'Namespace', 'demo', ''),
        find(world, 'Pod', 'a'),
        find(world, 'Pod', 'web-0'),
      ]) {
        assert.equal(object?.meta.annotations['config.linkerd.io/default-inbound-policy'], counts, what);
      }
    }
    assert.equal(denials.length, 5);
  });

  test('means deny when its copies differ in the ports that require an identity', () => {
    const required = { 'config.linkerd.io/proxy-require-identity-inbound-ports': '8080' };
    const world = compose(
      manifest('a.yaml', aPod('a')),
      manifest('b.yaml', aPod('a', { metadata: { annotations: required } })),
    );
    assert.deepEqual(find(world, 'Pod', 'a')?.meta.annotations, policy('deny'));
  });

  test('counts as unread in what its copies differ in when it is a pod, or a workload', () => {
    const labelled = (labels: unknown) => ({ metadata: { labels } });
    const containers = (name: string) => ({
      spec: { containers: [{ name: 'c', ports: [{ name, containerPort: 80 }] }] },
    });
    const cases: readonly (readonly [part: string, one: WireSaid, other: WireSaid])[] = [
      ['labels', labelled({ app: 'x' }), labelled({ app: 'y' })],
      ['labels', labelled({}), labelled('app=x')],
      ['ports', containers('http'), containers('web')],
      ['serviceAccountName', { spec: { serviceAccountName: 'x' } }, { spec: {} }],
      ['hostNetwork', { spec: { hostNetwork: true } }, { spec: {} }],
    ];
    const unread = (write: (said: WireSaid) => WireObject, one: WireSaid, other: WireSaid) => {
      const { objects } = compose(manifest('a.yaml', write(one)), manifest('b.yaml', write(other)));
      const pods = [...objects.values()].filter((object) => object.kind === 'Pod') as KubeObject<'Pod'>[];
      return pods.flatMap(({ meta, spec }) => [...(meta.unreadTexts ?? []), ...(spec.unread ?? [])]);
    };
    const aCopy = (said: WireSaid) => aPod('a', said);
    const aWorkload = (template: WireSaid) => aDeployment('web', { template });
    for (const [part, one, other] of cases)
      for (const write of [aCopy, aWorkload]) {
        assert.deepEqual(unread(write, one, other), [part]);
        assert.deepEqual(unread(write, other, one), [part]);
        assert.deepEqual(unread(write, one, one), []);
      }
    const status = (phase: string) => ({ status: { phase } });
    assert.deepEqual(unread(aCopy, status('Running'), status('Failed')), ['phase']);
  });

  test('has labels that count as unread when its copies differ in them and it is a Namespace', () => {
    const labelled = (app: string) =>
      aWireObject('Namespace', { name: 'demo', metadata: { labels: { app } } });
    const world = compose(manifest('a.yaml', labelled('x')), manifest('b.yaml', labelled('y')));
    assert.deepEqual(find(world, 'Namespace', 'demo', '')?.meta.unreadTexts, ['labels']);
  });

  test('has no pods beside those of the first when it is a Deployment', () => {
    const world = compose(
      manifest('a.yaml', aDeployment('web', { replicas: 1, template: {} })),
      manifest('b.yaml', aDeployment('web', { replicas: 3, template: {} })),
    );
    assert.deepEqual(
      [find(world, 'Pod', 'web-0') !== undefined, find(world, 'Pod', 'web-1')],
      [true, undefined],
    );
    assert.deepEqual(texts(world), [
      'a.yaml: Deployment demo/web is written 2 times, in a.yaml, b.yaml: the first copy counts',
    ]);
  });

  test('may be a pod and one that a Deployment makes', () => {
    const world = compose(
      manifest('a.yaml', aPod('web-0', { status: { podIP: '10.0.0.1' } })),
      manifest('b.yaml', aDeployment('web', { template: {} })),
    );
    assert.deepEqual(find(world, 'Pod', 'web-0')?.spec.ips, ['10.0.0.1']);
  });
});

suite('a manifest that cannot be read', () => {
  test('has its policies rejected and keeps its other objects', () => {
    const world = compose(broken('a.yaml', aServer(), aPod('a', { metadata: { labels: { app: 'web' } } })));
    const spec = find(world, 'Server', 'web')?.spec;
    assert.deepEqual(
      spec !== undefined && isRejected(spec) && [spec.rejected.map(({ field }) => field), spec.closes.ports],
      [['a.yaml'], [{ kind: 'range', first: 80, last: 80 }]],
    );
    assert.deepEqual(find(world, 'Pod', 'a')?.meta.labels, { app: 'web' });
    assert.deepEqual(world.unreadable, []);
    // Where and what to do, each said once.
    const [problem] = spec !== undefined && isRejected(spec) ? spec.rejected : [];
    assert.match(problem?.found ?? '', /^cannot be read: line 1, column \d+: /);
    assert.match(problem?.fix ?? '', /^fix the YAML;/);
  });

  test('is unreadable as long as nobody ever read it', () => {
    const world = compose(parseManifest('a.yaml', undefined, { bytes: bytes('kind: [') }));
    assert.deepEqual(
      world.unreadable.map(({ path }) => path),
      ['a.yaml'],
    );
    const fixed = parseManifest('a.yaml', parseManifest('a.yaml', undefined, { bytes: bytes('[') }), {
      bytes: bytes(asManifest(aServer())),
    });
    assert.deepEqual(compose(fixed).unreadable, []);
  });

  test('is not one that never says apiVersion and kind: it is named and closes nothing', () => {
    const world = compose(
      parseManifest('chart/Chart.yaml', undefined, { bytes: bytes('apiVersion: v2\nname: web\n') }),
      parseManifest('chart/values.yaml', undefined, { bytes: bytes('image: { tag: 1 }\n') }),
      manifest('a.yaml', aPod('a')),
    );
    assert.deepEqual([world.foreign, world.unreadable], [['chart/Chart.yaml', 'chart/values.yaml'], []]);
  });

  test('stays closed when a manifest becomes something else', () => {
    const before = manifest('a.yaml', aServer(), aPod('a'));
    const world = compose(parseManifest('a.yaml', before, { bytes: bytes('image: { tag: 1 }\n') }));
    const spec = find(world, 'Server', 'web')?.spec;
    assert.equal(spec !== undefined && isRejected(spec), true);
    assert.notEqual(find(world, 'Pod', 'a'), undefined);
    assert.deepEqual(world.foreign, []);
  });

  test('is one with a document that nobody can name', () => {
    for (const metadata of [undefined, { namespace: 'demo' }, { name: 7 }]) {
      const read = parseManifest('a.yaml', undefined, {
        bytes: bytes(asManifest(aPod('a'), { ...aServer(), metadata })),
      });
      assert.equal(
        read.state.kind === 'unreadable' && read.state.problem.field,
        'document 2 (Server): metadata.name',
      );
    }
  });
});

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
