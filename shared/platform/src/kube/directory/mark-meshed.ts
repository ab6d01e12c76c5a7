import { controlPlaneLabel } from '@gatehouse/core/mesh/workload';
import { injectAnnotation } from '@gatehouse/core/resources/annotations';
import type { Candidate } from './candidate.ts';

/**
 * A pod is meshed by its label, or because its inject annotation, else its namespace's, is `enabled`. The control plane's
 * own pods, which no manifest holds, never are: they serve their own TLS (design §3).
 */
export const markMeshed = (
  candidates: readonly Candidate[],
  controlPlaneNamespace: string,
): readonly Candidate[] => {
  const inject = new Map(
    candidates
      .filter(({ object }) => object.kind === 'Namespace')
      .map(({ object: { meta } }) => [meta.name, meta.annotations[injectAnnotation]]),
  );
  return candidates.map((candidate) => {
    const { kind, meta } = candidate.object;
    if (kind !== 'Pod' || candidate.path === '' || Object.hasOwn(meta.labels, controlPlaneLabel))
      return candidate;
    if ((meta.annotations[injectAnnotation] ?? inject.get(meta.namespace)) !== 'enabled') return candidate;
    const labels = { ...meta.labels, [controlPlaneLabel]: controlPlaneNamespace };
    return { ...candidate, object: { ...candidate.object, meta: { ...meta, labels } } };
  });
};
