import type { Labels } from '../label-selector.ts';
import type { PodSpec } from '../resources/kinds/kubernetes.ts';
import type { Mesh } from './workload-identity.ts';

/** Its value is the namespace of the control plane that the pod's proxy obeys. */
export const controlPlaneLabel = 'linkerd.io/control-plane-ns';

/** Whether the pod runs a proxy of this mesh (design §3). Nothing else decides it. */
export const isMeshed = (
  { labels }: { readonly labels: Labels },
  { controlPlaneNamespace }: Pick<Mesh, 'controlPlaneNamespace'>,
): boolean => labels[controlPlaneLabel] === controlPlaneNamespace;

/** Whether nothing of the pod runs any more, so that it neither calls nor can be called. A terminating pod still runs. */
export const hasEnded = ({ phase, terminated }: Pick<PodSpec, 'phase' | 'terminated'>): boolean =>
  terminated || phase === 'Succeeded' || phase === 'Failed';
