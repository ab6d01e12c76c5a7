import type { Change } from '@gatehouse/core/resources/changes';
import { isRejected, type KubeObject } from '@gatehouse/core/resources/kinds';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { anExternalWorkload, aPod } from '@gatehouse/testing/builders';
import fc from 'fast-check';
import type { Target } from './decide/situation.ts';
import { anyChange, objects } from './random-changes.ts';
import { identity } from './random-policies.ts';

/** What happens in a cluster, told of what there is: a number stands for one of the objects, modulo how many there are. */
export type ClusterEvent =
  /** Anything at all: an object put or deleted, a kind listed again without any, a manifest that cannot be read. */
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'starts'; readonly pod: KubeObject<'Pod'> }
  /** It is given the addresses of another, which may still be there. */
  | { readonly kind: 'inherits'; readonly pod: KubeObject<'Pod'>; readonly from: number }
  | { readonly kind: 'ends'; readonly pod: number; readonly how: Ending }
  /** Under its name, with another uid: deleted and made again, in one batch or in two. */
  | {
      readonly kind: 'recreated';
      readonly pod: number;
      readonly as: KubeObject<'Pod'>;
      readonly batches: 'one' | 'two';
    }
  /** An ExternalWorkload, with the labels, the address and the identity that pods have too: what it claims is not proven. */
  | { readonly kind: 'claims'; readonly outside: KubeObject<'ExternalWorkload'> }
  | { readonly kind: 'relabelled'; readonly pod: number; readonly labels: KubeObject['meta']['labels'] }
  /** A policy keeps only so many of its sources. */
  | { readonly kind: 'withdrawn'; readonly policy: number; readonly keep: number }
  | { readonly kind: 'removed'; readonly grant: number };

type Ending = 'succeeds' | 'fails' | 'containers end' | 'terminates' | 'deleted';

const namespace = fc.constantFrom('demo', 'demo', 'demo', 'other');
const labels = fc.record(
  { app: fc.constantFrom('front', 'back'), tier: fc.constantFrom('x', 'y') },
  { requiredKeys: [], noNullPrototype: true },
);

/** Addresses are few, so that some are given to a second pod; most pods have one or two of their own. */
const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4', 'fd00::1', 'fd00::2'];

const anyPod = fc
  .record(
    {
      namespace,
      name: fc.constantFrom('a', 'b', 'c', 'd'),
      uid: fc.constantFrom('one', 'two', 'three'),
      labels,
      ips: fc.subarray(addresses, { maxLength: 2 }),
      serviceAccount: fc.constantFrom('default', 'default', 'web'),
      age: fc.constantFrom({}, { startedAt: 1 }, { startedAt: 2 }, { startedAt: 3 }),
      meshed: fc.constantFrom(true, true, true, true, false),
      hostNetwork: fc.constantFrom(false, false, false, false, false, true),
      ports: fc.constantFrom([], [{ name: 'http', port: 8080 }]),
    },
    { noNullPrototype: true },
  )
  .map(({ age, ...pod }) => aPod({ ...pod, ...age }));

const anyExternalWorkload = fc
  .record(
    {
      namespace,
      // One of them has the name of a pod.
      name: fc.constantFrom('a', 'vm'),
      uid: fc.constantFrom('one', 'two'),
      labels,
      ips: fc.subarray(addresses, { maxLength: 2 }),
      identity: fc.constantFrom(
        identity('demo', 'default'),
        identity('demo', 'web'),
        'spiffe://elsewhere/vm',
      ),
      ports: fc.constantFrom([], [{ name: 'http', port: 8080 }]),
    },
    { noNullPrototype: true },
  )
  .map(anExternalWorkload);

const anyNumber = fc.nat({ max: 50 });

/** What admits a client, so that there is something to take away. */
const anyGrant: fc.Arbitrary<KubeObject> = fc.oneof(
  { weight: 5, arbitrary: objects.NetworkAuthenticationPolicy },
  { weight: 2, arbitrary: objects.Server },
  { weight: 2, arbitrary: objects.AuthorizationPolicy },
  { weight: 1, arbitrary: objects.ServerAuthorization },
  { weight: 1, arbitrary: objects.MeshTLSAuthentication },
  { weight: 1, arbitrary: objects.NetworkAuthentication },
  { weight: 1, arbitrary: objects.Namespace },
);

export const anyEvent: fc.Arbitrary<ClusterEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('change' as const), change: anyChange }) },
  {
    weight: 6,
    arbitrary: anyGrant.map((object): ClusterEvent => ({ kind: 'change', change: applied(object) })),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('starts' as const), pod: anyPod }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('claims' as const), outside: anyExternalWorkload }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ends' as const),
      pod: anyNumber,
      how: fc.constantFrom<Ending>(
        'succeeds',
        'fails',
        'containers end',
        'terminates',
        'terminates',
        'deleted',
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('inherits' as const), pod: anyPod, from: anyNumber }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('recreated' as const),
      pod: anyNumber,
      as: anyPod,
      batches: fc.constantFrom('one' as const, 'two' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('relabelled' as const), pod: anyNumber, labels }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('withdrawn' as const),
      policy: anyNumber,
      keep: fc.nat({ max: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('removed' as const), grant: anyNumber }) },
);

/** What an event does to a pod or an ExternalWorkload of an index: before and after it. */
export interface WorkloadChange<Of extends Target = Target> {
  readonly before: Of | undefined;
  readonly after: Of | undefined;
}

/** An event in an index: batches in which it arrives, and what is known of it beforehand. */
export interface Happening {
  readonly batches: readonly (readonly Change[])[];
  /** The workloads that it is about, if it is about nothing else. */
  readonly workloads: readonly WorkloadChange[];
  /** Whether it takes grants away, and nothing else. */
  readonly withdraws: boolean;
}

const nothing: Happening = { batches: [], workloads: [], withdraws: false };

export const happeningOf = (index: ResourceIndex, event: ClusterEvent): Happening => {
  switch (event.kind) {
    case 'change':
      return { ...nothing, batches: [[event.change]] };
    case 'starts': {
      const { namespace, name } = event.pod.meta;
      return ofWorkload(index.get('Pod', namespace, name), event.pod);
    }
    case 'inherits': {
      const { meta, spec } = event.pod;
      const ips = pick([...index.all('Pod')], event.from)?.spec.ips ?? [];
      return ofWorkload(index.get('Pod', meta.namespace, meta.name), {
        ...event.pod,
        spec: { ...spec, ips },
      });
    }
    case 'claims': {
      const { namespace, name } = event.outside.meta;
      return ofWorkload(index.get('ExternalWorkload', namespace, name), event.outside);
    }
    case 'ends': {
      const pod = pick([...index.all('Pod')], event.pod);
      return pod === undefined ? nothing : ofWorkload(pod, ended(pod, event.how));
    }
    case 'recreated': {
      const pod = pick([...index.all('Pod')], event.pod);
      if (pod === undefined) return nothing;
      const { namespace, name, uid } = pod.meta;
      const again = { ...event.as, meta: { ...event.as.meta, namespace, name, uid: `${uid}'` } };
      const happening = ofWorkload(pod, again);
      return event.batches === 'one'
        ? happening
        : { ...happening, batches: happening.batches.flatMap((batch) => batch.map((change) => [change])) };
    }
    case 'relabelled': {
      const pod = pick([...index.all('Pod')], event.pod);
      if (pod === undefined) return nothing;
      const own = Object.entries(pod.meta.labels).filter(([key]) => key !== 'app' && key !== 'tier');
      const labels = { ...Object.fromEntries(own), ...event.labels };
      return ofWorkload(pod, { ...pod, meta: { ...pod.meta, labels } });
    }
    case 'withdrawn': {
      const policy = pick([...index.all('NetworkAuthenticationPolicy')], event.policy);
      if (policy === undefined || isRejected(policy.spec)) return nothing;
      const spec = { ...policy.spec, sources: policy.spec.sources.slice(0, event.keep) };
      return { batches: [[applied({ ...policy, spec })]], workloads: [], withdraws: true };
    }
    case 'removed': {
      const grants: readonly KubeObject[] = [
        ...index.all('AuthorizationPolicy'),
        ...index.all('ServerAuthorization'),
        ...index.all('MeshTLSAuthentication'),
        ...index.all('NetworkAuthentication'),
      ];
      const grant = pick(grants, event.grant);
      return grant === undefined ? nothing : { batches: [[deleted(grant)]], workloads: [], withdraws: true };
    }
  }
};

const pick = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)];

const applied = (object: KubeObject): Change => ({ type: 'apply', kind: object.kind, object }) as Change;
const deleted = ({ kind, meta }: KubeObject): Change => ({ type: 'delete', kind, ...meta }) as Change;

const ofWorkload = <Of extends Target>(before: Of | undefined, after: Of | undefined): Happening => {
  const isAnother = before !== undefined && after !== undefined && before.meta.uid !== after.meta.uid;
  const gone = before === undefined || (after !== undefined && !isAnother) ? [] : [deleted(before)];
  const come = after === undefined ? [] : [applied(after)];
  return { ...nothing, batches: [[...gone, ...come]], workloads: [{ before, after }] };
};

const ended = (pod: KubeObject<'Pod'>, how: Ending): KubeObject<'Pod'> | undefined => {
  switch (how) {
    case 'succeeds':
      return { ...pod, spec: { ...pod.spec, phase: 'Succeeded' } };
    case 'fails':
      return { ...pod, spec: { ...pod.spec, phase: 'Failed' } };
    case 'containers end':
      return { ...pod, spec: { ...pod.spec, terminated: true } };
    case 'terminates':
      return { ...pod, meta: { ...pod.meta, deletedAt: 9 } };
    case 'deleted':
      return undefined;
  }
};
