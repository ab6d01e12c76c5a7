import assert from 'node:assert/strict';
import test from 'node:test';
import { everywhere } from '@gatehouse/core/ip-network';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Touched } from '@gatehouse/core/resources/resource-index';
import fc from 'fast-check';
import type { InboundRowsParts } from '../../../../testing/inbound-rows-fixture.ts';
import { rowsAreExact } from '../../../../testing/properties/exact-rows.ts';
import { rareIn, type Seen } from '../../../../testing/properties/seen.ts';
import { compilePort } from '../compile.ts';
import type { Grant, PortInput } from '../model.ts';
import { inboundKinds } from './inbound-kinds.ts';

const seed = 20_261_202;

/** Without these the property could hold because nothing ever happened. */
const situations = [
  'Succeeded',
  'hostNetwork',
  'several podIPs',
  'unmeshed',
  'terminating',
  'a shared ServiceAccount',
  'a shared address',
  'a pod succeeds',
  'a pod fails',
  'a pod containers end',
  'a pod terminates',
  'a pod deleted',
  'a pod starts',
  'an ExternalWorkload claims an identity',
  'allowed on an ExternalWorkload',
  'denied on an ExternalWorkload',
  'a pod inherits addresses',
  'a pod is recreated',
  'a pod is relabelled',
  'a source is withdrawn',
  'a grant is removed',
  'a row narrowed',
  'a row stayed',
  'denied',
  'allowed by networkauthenticationpolicy',
  'allowed by authorizationpolicy',
  'allowed by serverauthorization',
];

test('after every event each row admits exactly those whom the policies admit', () => {
  const seen: Seen = new Map();
  fc.assert(rowsAreExact({}, seen), { numRuns: 500, seed });
  assert.deepEqual(
    rareIn(seen, situations, 20),
    [],
    `too rarely seen: ${JSON.stringify(Object.fromEntries(seen))}`,
  );
  assert.equal(situations.length, 27);
});

/** The compiler as if each source stood for other clients. */
const granting = (mutate: (grants: readonly Grant[]) => readonly Grant[]): InboundRowsParts => ({
  compile: (input: PortInput) =>
    compilePort({
      ...input,
      policies: {
        ...input.policies,
        networkAuthenticationPolicies: input.policies.networkAuthenticationPolicies.map((policy) => ({
          object: policy.object,
          sources: policy.sources.map((source) => ({ ...source, grants: mutate(source.grants) })),
        })),
      },
    }),
});

/** The rows as if each pod were another. */
const seeing = (mutate: (pod: KubeObject<'Pod'>) => KubeObject<'Pod'>): InboundRowsParts => {
  // The same object comes and goes.
  const known = new WeakMap<KubeObject<'Pod'>, KubeObject<'Pod'>>();
  const as = (pod: KubeObject<'Pod'> | undefined): KubeObject<'Pod'> | undefined => {
    if (pod === undefined) return undefined;
    const mutated = known.get(pod) ?? mutate(pod);
    known.set(pod, mutated);
    return mutated;
  };
  return {
    kinds: {
      ...inboundKinds,
      Pod: (kept, touched, noted) => {
        const mutated = touched.map(
          ({ kind, before, after }): Touched<'Pod'> => ({ kind, before: as(before), after: as(after) }),
        );
        noted.callers.push(...kept.callers.applyPods(mutated));
        noted.rows.noteWorkloads(touched);
      },
    },
  };
};

const isWhole = ({ net }: Grant['networks'][number]): boolean => net.prefix === (net.family === 4 ? 32 : 128);

const mutants: readonly (readonly [what: string, parts: InboundRowsParts])[] = [
  [
    'an identity is admitted from anywhere',
    granting((grants) =>
      grants.map((grant) => (grant.networks.some(isWhole) ? { ...grant, networks: everywhere } : grant)),
    ),
  ],
  [
    'an address is admitted without its identity',
    granting((grants) =>
      grants.map((grant) =>
        grant.networks.some(isWhole) ? { ...grant, authentication: { kind: 'unauthenticated' } } : grant,
      ),
    ),
  ],
  [
    'all identities of a source are admitted from all of its addresses',
    granting((grants) => {
      const networks = grants.flatMap((grant) => grant.networks);
      return grants.map((grant) => ({ ...grant, networks }));
    }),
  ],
  [
    'a pod that has ended is admitted',
    seeing((pod) => ({ ...pod, spec: { ...pod.spec, phase: 'Running', terminated: false } })),
  ],
  [
    'a pod on its host network is admitted by the address of its node',
    seeing((pod) => ({ ...pod, spec: { ...pod.spec, hostNetwork: false } })),
  ],
  [
    'a terminating pod keeps its address from the one that has it now',
    seeing(({ meta: { deletedAt: _, ...meta }, ...pod }) => ({ ...pod, meta })),
  ],
  [
    'of two pods with one address the first by name has it',
    seeing((pod) => ({ ...pod, spec: { ...pod.spec, startedAt: pod.meta.name.charCodeAt(0) } })),
  ],
];

assert.equal(mutants.length, 7);
for (const [what, parts] of mutants) {
  test(`the property notices a compiler by which ${what}`, () => {
    const { failed } = fc.check(rowsAreExact(parts), { numRuns: 3_000, seed, endOnFailure: true });
    assert.equal(failed, true);
  });
}
