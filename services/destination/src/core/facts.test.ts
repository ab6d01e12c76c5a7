import assert from 'node:assert/strict';
import test from 'node:test';
import { Answers, type Compiled, type Held } from '@gatehouse/core/dependency/answers';
import { type KindFacts, touchedFacts } from '@gatehouse/core/dependency/kind-facts';
import { parseAuthority } from '@gatehouse/core/mesh/service-authority';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { SliceEndpoint } from '@gatehouse/core/resources/kinds/kubernetes';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import {
  aNode,
  anEndpointSlice,
  anExternalWorkload,
  aPod,
  aServer,
  aService,
  aServiceProfile,
} from '@gatehouse/testing/builders';
import fc from 'fast-check';
import { aCluster, put, relist, remove } from '../../testing/a-cluster.ts';
import type { Cluster } from './cluster.ts';
import { compileEndpointSet } from './endpoints/endpoint-set.ts';
import { kindFacts, type WatchedKind, watchedKinds } from './facts.ts';
import { compileProfile } from './profile/profile.ts';
import { compileClientPlace } from './target/client-place.ts';

const ip = fc.constantFrom('10.1.0.1', '10.1.0.2', 'fd00::1');
const name = fc.constantFrom('a', 'b');
const node = fc.constantFrom('', 'node-1', 'node-2');
const app = fc.constantFrom('a', 'b').map((value) => ({ app: value }));

const sliceEndpoint: fc.Arbitrary<SliceEndpoint> = fc
  .record({
    address: ip,
    ready: fc.boolean(),
    nodeName: node,
    kind: fc.constantFrom('Pod', 'Pod', 'ExternalWorkload', 'Node', undefined),
    target: name,
  })
  .map(({ address, ready, nodeName, kind, target }) => ({
    addresses: [address],
    ready,
    nodeName,
    hostname: 'h',
    zone: '',
    forZones: [],
    forNodes: [],
    target: kind === undefined ? undefined : { kind, namespace: 'demo', name: target },
  }));

/** Random objects of each watched kind. A kind without a row here does not compile, so none is left unproved. */
const objects = {
  Pod: fc
    .record({
      name,
      labels: app,
      ips: fc.uniqueArray(ip, { maxLength: 2 }),
      ready: fc.boolean(),
      nodeName: node,
      hostname: fc.constant('h'),
      subdomain: name,
      hostIps: fc.constant(['192.168.0.1']),
      ports: fc.constantFrom(
        [],
        [{ name: 'web', port: 8080, hostPort: 8080 }],
        [{ name: 'web', port: 9090 }],
      ),
    })
    .map((said) => aPod(said)),
  Service: fc
    .record({
      name,
      selector: fc.option(app, { nil: undefined }),
      clusterIps: fc.constantFrom([], ['10.32.0.1'], ['10.32.0.2', 'fd01::1']),
      ports: fc.constantFrom([], [{ name: 'http', port: 80, targetPort: 'web', appProtocol: undefined }]),
    })
    .map((said) => aService(said)),
  EndpointSlice: fc
    .record({ name, service: name, endpoints: fc.array(sliceEndpoint, { maxLength: 2 }) })
    .map((said) => anEndpointSlice(said)),
  ExternalWorkload: fc
    .record({
      name,
      labels: app,
      ips: fc.uniqueArray(ip, { maxLength: 2 }),
      ready: fc.boolean(),
      identity: fc.constantFrom('spiffe://elsewhere/vm', ''),
      ports: fc.constantFrom([], [{ name: 'web', port: 8080 }]),
    })
    .map((said) => anExternalWorkload(said)),
  ServiceProfile: fc
    .record({
      namespace: fc.constantFrom('demo', 'client'),
      name: name.map((service) => `${service}.demo.svc.cluster.local`),
      overrides: fc.constantFrom([], [{ authority: 'a.b', weightMilli: 1 }]),
    })
    .map((said) => aServiceProfile(said)),
  Node: fc
    .record({ name: fc.constantFrom('node-1', 'node-2'), zone: fc.constantFrom('', 'x', 'y') })
    .map((said) => aNode(said)),
  Server: fc
    .record({ name, proxyProtocol: fc.constantFrom('unknown', 'opaque') })
    .map((said) => aServer(said)),
} satisfies { [K in WatchedKind]: fc.Arbitrary<KubeObject> };

const object: fc.Arbitrary<KubeObject> = fc.oneof(...Object.values(objects));

/** What happens to a cluster: one object is applied or deleted, or all objects of a kind are listed anew. */
type Step = (cluster: Cluster) => readonly Touched[];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: object.map(
      (one): Step =>
        (cluster) =>
          put(cluster, one),
    ),
  },
  {
    weight: 1,
    arbitrary: object.map(
      (one): Step =>
        (cluster) =>
          remove(cluster, one),
    ),
  },
  ...watchedKinds.map((kind) => ({
    weight: 1,
    arbitrary: fc.array<KubeObject>(objects[kind], { maxLength: 3 }).map(
      (all): Step =>
        (cluster) =>
          relist(cluster, kind, ...all),
    ),
  })),
);

const paths = [
  'a.demo.svc.cluster.local:80',
  'b.demo.svc.cluster.local:80',
  'b.demo.svc.cluster.local:81',
  'h.a.demo.svc.cluster.local:80',
  '10.1.0.1:8080',
  '[fd00::1]:8080',
  '10.32.0.1:80',
  '192.168.0.1:8080',
] as const;

/** Every kind of question, as a function of the previous answer. */
const questions = (cluster: Cluster): readonly ((previous: unknown) => Compiled<unknown>)[] => [
  ...paths.flatMap((path) => {
    const parsed = parseAuthority(path, 'cluster.local');
    const target = parsed.ok ? parsed.value : assert.fail(path);
    const profile = (previous: unknown) =>
      compileProfile(cluster, { target, clientNamespace: 'client' }, previous as undefined);
    return target.kind === 'address'
      ? [profile]
      : [profile, (previous: unknown) => compileEndpointSet(cluster, target, previous as undefined)];
  }),
  (previous) =>
    compileClientPlace(cluster, { namespace: 'demo', nodeName: '', pod: 'a' }, previous as undefined),
];

/** After every change, each answer equals one that is compiled afresh; `table` says what a change touches. */
const neverStale = (table: KindFacts<WatchedKind>) =>
  fc.property(fc.array(object, { maxLength: 6 }), fc.array(step, { maxLength: 12 }), (given, steps) => {
    const cluster = aCluster(...given);
    const asked = questions(cluster);
    const answers = new Answers();
    const held: readonly Held<unknown>[] = asked.map((compile, index) =>
      answers.ask(`${index}`, compile, () => {}),
    );
    for (const { value } of held) assert.notEqual(value, undefined);
    for (const take of steps) {
      answers.touch(touchedFacts(table, take(cluster)));
      answers.settle();
      for (const [index, compile] of asked.entries()) {
        assert.deepEqual(held[index]?.value, compile(undefined).value);
      }
    }
  });

test('an answer is never stale: however the cluster changed, it equals one that is compiled afresh', () => {
  fc.assert(neverStale(kindFacts), { numRuns: 300 });
});

test('each row of the table is needed: struck out, answers go stale and the property notices', () => {
  for (const kind of watchedKinds) {
    const { failed } = fc.check(neverStale({ ...kindFacts, [kind]: () => [] }), { numRuns: 2_000 });
    assert.equal(failed, true, `nothing notices that ${kind} touches no fact`);
  }
});
