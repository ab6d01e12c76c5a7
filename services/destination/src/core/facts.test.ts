import assert from 'node:assert/strict';
import test from 'node:test';
import { Answers, type Compiled, type Held } from '@gatehouse/core/dependency/answers';
import { type KindFacts, touchedFacts } from '@gatehouse/core/dependency/kind-facts';
import { parseAuthority } from '@gatehouse/core/mesh/service-authority';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import fc from 'fast-check';
import { aCluster, put, relist, remove } from '../../testing/a-cluster.ts';
import { anyObject, askedPaths, randomObjects } from '../../testing/random-objects.ts';
import type { Cluster } from './cluster.ts';
import { compileEndpointSet } from './endpoints/endpoint-set.ts';
import { kindFacts, type WatchedKind, watchedKinds } from './facts.ts';
import { compileProfile } from './profile/profile.ts';
import { compileClientPlace } from './target/client-place.ts';

/** What happens to a cluster: one object is applied or deleted, or all objects of a kind are listed anew. */
type Step = (cluster: Cluster) => readonly Touched[];

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: anyObject.map(
      (one): Step =>
        (cluster) =>
          put(cluster, one),
    ),
  },
  {
    weight: 1,
    arbitrary: anyObject.map(
      (one): Step =>
        (cluster) =>
          remove(cluster, one),
    ),
  },
  ...watchedKinds.map((kind) => ({
    weight: 1,
    arbitrary: fc.array<KubeObject>(randomObjects[kind], { maxLength: 3 }).map(
      (all): Step =>
        (cluster) =>
          relist(cluster, kind, ...all),
    ),
  })),
);

/** Every kind of question, as a function of the previous answer. */
const questions = (cluster: Cluster): readonly ((previous: unknown) => Compiled<unknown>)[] => [
  ...askedPaths.flatMap((path) => {
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
  fc.property(fc.array(anyObject, { maxLength: 6 }), fc.array(step, { maxLength: 12 }), (given, steps) => {
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
