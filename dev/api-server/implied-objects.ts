import type { WireObject } from '@gatehouse/platform/kube/parse/fields';
import { readFolder } from '../folder/read-folder.ts';
import { namedBy, printPod, statusOf, workloadOf } from './workload-pods.ts';

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
  const written = new Set(manifests.map(namedBy));
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
  return [...workloads, ...[...accounts, ...pods].filter((object) => !written.has(namedBy(object)))];
};
