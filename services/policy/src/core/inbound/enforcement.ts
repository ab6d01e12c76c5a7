import { injectionOf, sayLeftAlone } from '@gatehouse/core/mesh/injection';
import { type Bypass, bypassOf } from '@gatehouse/core/mesh/proxy-bypass';
import { controlPlaneLabel, hasEnded, isMeshed } from '@gatehouse/core/mesh/workload';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Target } from './workload-of.ts';

/** Whether a proxy of this mesh stands before a pod, or before one of its ports, so that policy is in force there. */
export type Enforcement =
  | { readonly kind: 'enforced' }
  | {
      readonly kind: 'not-enforced';
      readonly reason: NotEnforced;
      /** The end of a sentence that begins with what is not enforced. */
      readonly why: string;
    };

export const notEnforcedReasons = [
  'ended',
  'host-network',
  'other-mesh',
  'unmeshed',
  'skipped-port',
] as const;
export type NotEnforced = (typeof notEnforcedReasons)[number];

export interface EnforcementFacts {
  readonly mesh: Mesh;
  /** Those of the pod's Namespace; none when nobody knows it. */
  readonly namespaceAnnotations: Readonly<Record<string, string>>;
}

const enforced: Enforcement = { kind: 'enforced' };

/**
 * The one judgement of whether policy is enforced on a pod: REST, the command line and findings say it in these words. A pod
 * on its host's network comes before one without a proxy, since that is what keeps it from having one.
 */
export const podEnforcement = (pod: KubeObject<'Pod'>, facts: EnforcementFacts): Enforcement => {
  const { meta, spec } = pod;
  if (hasEnded(spec)) return not('ended', 'the pod has ended');
  if (spec.hostNetwork) return not('host-network', whyBypassed['host-network']);
  if (isMeshed(meta, facts.mesh)) return enforced;
  const other = meta.labels[controlPlaneLabel];
  if (other !== undefined) {
    const { controlPlaneNamespace } = facts.mesh;
    const why = `the pod's label ${controlPlaneLabel} is ${other}, not ${controlPlaneNamespace}: its proxy is of another mesh`;
    return not('other-mesh', why);
  }
  return not('unmeshed', `the pod has no proxy: ${whyUnmeshed(pod, facts)}`);
};

/** The same of any workload. Whether the proxy of an ExternalWorkload runs, and what goes past it there, is not in the cluster. */
export const workloadEnforcement = (target: Target, facts: EnforcementFacts): Enforcement =>
  target.kind === 'Pod' ? podEnforcement(target, facts) : enforced;

/** The same for one of its ports. */
export const portEnforcement = (target: Target, port: number, facts: EnforcementFacts): Enforcement => {
  const ofAll = workloadEnforcement(target, facts);
  if (ofAll.kind === 'not-enforced' || target.kind !== 'Pod') return ofAll;
  const { meta, spec } = target;
  const bypass = bypassOf({ hostNetwork: spec.hostNetwork, annotations: meta.annotations }, port);
  return bypass === undefined ? ofAll : not(bypass, whyBypassed[bypass]);
};

/** Why a connection does not meet the proxy of a pod that has one. */
export const whyBypassed = {
  'host-network': 'the pod is on its host network',
  'skipped-port': 'the port is in skip-inbound-ports',
} as const satisfies Record<Bypass, string>;

const not = (reason: NotEnforced, why: string): Enforcement => ({ kind: 'not-enforced', reason, why });

const whyUnmeshed = (
  { meta, spec }: KubeObject<'Pod'>,
  { mesh, namespaceAnnotations }: EnforcementFacts,
): string => {
  const { namespace, labels, annotations } = meta;
  const newPod = { namespace, labels, annotations, hostNetwork: spec.hostNetwork, namespaceAnnotations };
  const injection = injectionOf(newPod, mesh.controlPlaneNamespace);
  return injection.kind === 'injected'
    ? 'it was made before injection was enabled, so delete it to have it made again with one'
    : sayLeftAlone[injection.reason];
};
