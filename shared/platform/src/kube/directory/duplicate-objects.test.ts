import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { everything } from '@gatehouse/core/label-selector';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import {
  aDeployment,
  aNamespace,
  aPod,
  aServer,
  compose,
  find,
  manifest,
  policy,
  texts,
} from '@gatehouse/testing/composed-folder';
import { aWireObject, type WireSaid } from '@gatehouse/testing/wire-objects';
import type { WireObject } from '../parse/fields.ts';

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
