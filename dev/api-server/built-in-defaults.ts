import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, metaOf, textOf, withMeta } from './object-meta.ts';
import type { ResourceType } from './resource-types.ts';

/**
 * The defaults of built-in kinds that a mesh reads. Everything else stays as it was sent: the real server adds some dozen
 * fields more to a pod, none of which Gatehouse looks at.
 */
export const defaultsFor = (type: ResourceType, object: WireObject): WireObject => {
  if (type.origin === 'custom') return object;
  switch (type.kind) {
    case 'Namespace':
      return withMeta(
        { ...object, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } },
        { labels: { 'kubernetes.io/metadata.name': metaOf(object).name ?? '', ...metaOf(object).labels } },
      );
    case 'Pod': {
      const spec = fieldsOf(object.spec);
      const account = textOf(spec.serviceAccountName) || textOf(spec.serviceAccount) || 'default';
      return {
        ...object,
        spec: {
          restartPolicy: 'Always',
          terminationGracePeriodSeconds: 30,
          dnsPolicy: 'ClusterFirst',
          ...spec,
          serviceAccountName: account,
          serviceAccount: account,
        },
        status: { phase: 'Pending', qosClass: 'BestEffort' },
      };
    }
    case 'Service': {
      const spec = fieldsOf(object.spec);
      return {
        ...object,
        spec: { type: 'ClusterIP', sessionAffinity: 'None', ...spec },
        status: { loadBalancer: {} },
      };
    }
    case 'CustomResourceDefinition':
      return { ...object, status: establishedStatus(object) };
    default:
      return object;
  }
};

/** A CRD is served as soon as it is there; the real server takes a moment. */
const establishedStatus = (crd: WireObject): WireObject => {
  const spec = fieldsOf(crd.spec);
  const versions = (Array.isArray(spec.versions) ? spec.versions : []).map(fieldsOf);
  const at = metaOf(crd).creationTimestamp;
  const condition = (type: string, reason: string, message: string): WireObject => ({
    type,
    status: 'True',
    lastTransitionTime: at,
    reason,
    message,
  });
  return {
    conditions: [
      condition('NamesAccepted', 'NoConflicts', 'no conflicts found'),
      condition('Established', 'InitialNamesAccepted', 'the initial names have been accepted'),
    ],
    acceptedNames: spec.names,
    storedVersions: versions.filter(({ storage }) => storage === true).map(({ name }) => name),
  };
};
