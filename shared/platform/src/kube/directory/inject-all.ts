import { annotationsOfService, injectionOf } from '@gatehouse/core/mesh/injection';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Candidate } from './candidate.ts';

interface Injected {
  readonly candidates: readonly Candidate[];
  /** Pods and namespaces whose `linkerd.io/inject` means nothing; each once. */
  readonly odd: ReadonlySet<Candidate>;
}

/**
 * Pods and Services as they are after the injector's webhook, by the same function. The control plane's own pods, which no
 * manifest holds, stay as they are: they serve their own TLS (design §3).
 */
export const injectAll = (candidates: readonly Candidate[], controlPlaneNamespace: string): Injected => {
  const namespaces = new Map(
    candidates
      .filter(({ object }) => object.kind === 'Namespace')
      .map((candidate) => [candidate.object.meta.name, candidate]),
  );
  const odd = new Set<Candidate>();
  const inject = (candidate: Candidate): Candidate => {
    const { kind, meta, spec } = candidate.object;
    const namespace = namespaces.get(meta.namespace);
    const namespaceAnnotations = namespace?.object.meta.annotations ?? {};
    if (candidate.path === '') return candidate;
    if (kind === 'Service') {
      const annotations = annotationsOfService(meta.annotations, namespaceAnnotations);
      return withMeta(candidate, { ...meta, annotations });
    }
    if (kind !== 'Pod') return candidate;
    // What it would inherit is then as unknown as what it says itself.
    const inUnread = namespace?.object.meta.unreadTexts?.includes('annotations') === true;
    const unread = inUnread
      ? [...new Set([...(meta.unreadTexts ?? []), 'annotations' as const])]
      : meta.unreadTexts;
    const asFar = unread === undefined ? meta : { ...meta, unreadTexts: unread };
    const { hostNetwork } = spec as KubeObject<'Pod'>['spec'];
    const injection = injectionOf({ ...meta, hostNetwork, namespaceAnnotations }, controlPlaneNamespace);
    const { annotations } = injection;
    if (injection.kind === 'injected')
      return withMeta(candidate, { ...asFar, labels: injection.labels, annotations });
    if (injection.reason === 'unknown-pod-value') odd.add(candidate);
    if (injection.reason === 'unknown-namespace-value' && namespace !== undefined) odd.add(namespace);
    return withMeta(candidate, { ...asFar, annotations });
  };
  return { candidates: candidates.map(inject), odd };
};

const withMeta = (candidate: Candidate, meta: KubeObject['meta']): Candidate => ({
  ...candidate,
  object: { ...candidate.object, meta },
});
