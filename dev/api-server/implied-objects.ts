import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readFolder } from '../folder/read-folder.ts';
import { fieldsOf, metaOf } from './object-meta.ts';

/**
 * What a cluster's controllers would make of the manifests of a folder: the pods of Deployments, StatefulSets and DaemonSets,
 * running, with the names and addresses that every service comes to that reads the folder itself, and the ServiceAccounts that they
 * run as, and the workloads with the status that these pods give them. Of the rest nothing is among it that manifests hold.
 */
export const impliedObjects = async (
  folder: string,
  {
    manifests,
    controlPlaneNamespace,
  }: { readonly manifests: readonly WireObject[]; readonly controlPlaneNamespace: string },
): Promise<readonly WireObject[]> => {
  const index = await readFolder({ path: folder, controlPlaneNamespace }, ['Pod', 'ServiceAccount']);
  const written = new Set(manifests.map(placeOf));
  const accounts = [...index.all('ServiceAccount')].map(
    ({ meta: { namespace, name } }): WireObject => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace, name },
    }),
  );
  const made = [...index.all('Pod')]
    .map((pod) => ({ pod, workload: workloadOf(pod, manifests) }))
    .flatMap(({ pod, workload }) => (workload === undefined ? [] : [{ pod, workload }]));
  const pods = made.map(({ pod, workload }) => printPod(pod, workload));
  const workloads = manifests.flatMap((object) => {
    const ready = made.filter(({ workload }) => workload === object).length;
    return ready === 0 ? [] : [{ ...object, status: statusOf(object, ready) }];
  });
  return [...workloads, ...[...accounts, ...pods].filter((object) => !written.has(placeOf(object)))];
};

const statusOf = ({ kind }: WireObject, ready: number): WireObject =>
  kind === 'DaemonSet'
    ? {
        desiredNumberScheduled: ready,
        currentNumberScheduled: ready,
        numberReady: ready,
        numberAvailable: ready,
      }
    : { replicas: ready, readyReplicas: ready, updatedReplicas: ready, availableReplicas: ready };

const placeOf = (object: WireObject): string => {
  const { namespace = 'default', name } = metaOf(object);
  return `${object.kind} ${namespace}/${name}`;
};

/** What of the manifests made the pod; undefined for a pod of its own. */
const workloadOf = (
  { meta, spec: { owner } }: KubeObject<'Pod'>,
  manifests: readonly WireObject[],
): WireObject | undefined =>
  owner && manifests.find((object) => placeOf(object) === `${owner.kind} ${meta.namespace}/${owner.name}`);

const printPod = ({ meta, spec }: KubeObject<'Pod'>, workload: WireObject): WireObject => {
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
