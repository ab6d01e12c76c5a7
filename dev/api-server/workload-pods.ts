import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { fieldsOf, metaOf } from './object-meta.ts';

/** The status of a workload all of whose pods run, on the newest template. */
export const statusOf = ({ kind, metadata }: WireObject, ready: number): WireObject => ({
  observedGeneration: metaOf({ metadata }).generation,
  ...(kind === 'DaemonSet'
    ? {
        desiredNumberScheduled: ready,
        currentNumberScheduled: ready,
        updatedNumberScheduled: ready,
        numberReady: ready,
        numberAvailable: ready,
      }
    : { replicas: ready, readyReplicas: ready, updatedReplicas: ready, availableReplicas: ready }),
});

/** Kind, namespace and name, which nothing else of a folder has. */
export const namedBy = (object: WireObject): string => {
  const { namespace = 'default', name } = metaOf(object);
  return `${object.kind} ${namespace}/${name}`;
};

/** What of the manifests made the pod; undefined for a pod of its own. */
export const workloadOf = (
  { meta, spec: { owner } }: KubeObject<'Pod'>,
  manifests: readonly WireObject[],
): WireObject | undefined =>
  owner && manifests.find((object) => namedBy(object) === `${owner.kind} ${meta.namespace}/${owner.name}`);

/** The running pod as the API server shows it, with all that its workload's template says. */
export const printPod = ({ meta, spec }: KubeObject<'Pod'>, workload: WireObject): WireObject => {
  const template = fieldsOf(fieldsOf(workload.spec).template);
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      labels: meta.labels,
      annotations: { ...fieldsOf(fieldsOf(template.metadata).annotations), ...meta.annotations },
      namespace: meta.namespace,
      name: meta.name,
      uid: meta.uid,
      ownerReferences: [
        {
          apiVersion: workload.apiVersion,
          kind: workload.kind,
          name: metaOf(workload).name,
          uid: metaOf(workload).uid ?? meta.uid,
          controller: true,
        },
      ],
    },
    spec: {
      serviceAccountName: spec.serviceAccount,
      nodeName: spec.nodeName || undefined,
      ...fieldsOf(template.spec),
    },
    status: {
      phase: spec.phase,
      podIP: spec.ips[0],
      podIPs: spec.ips.map((ip) => ({ ip })),
      startTime: spec.startedAt === undefined ? undefined : new Date(spec.startedAt).toISOString(),
      conditions: [{ type: 'Ready', status: spec.ready ? 'True' : 'False' }],
    },
  };
};
