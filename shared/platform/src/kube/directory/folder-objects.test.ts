import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { isRejected } from '@gatehouse/core/resources/kinds';
import {
  aDeployment,
  aNamespace,
  aPod,
  aServer,
  broken,
  bytes,
  compose,
  find,
  inject,
  manifest,
  policy,
  texts,
} from '@gatehouse/testing/composed-folder';
import { asManifest } from '@gatehouse/testing/manifest-folder';
import { aWireObject } from '@gatehouse/testing/wire-objects';
import type { WireObject } from '../parse/fields.ts';
import { defaultUid } from './default-uid.ts';
import { composeWorld } from './folder-objects.ts';
import { type Manifest, parseManifest } from './manifest.ts';

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
