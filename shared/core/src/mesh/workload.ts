import type { PodSpec } from '../resources/kinds/kubernetes.ts';
import type { ObjectMeta } from '../resources/kinds.ts';
import type { Mesh } from './workload-identity.ts';

/** Its value is the namespace of the control plane that the pod's proxy obeys. */
export const controlPlaneLabel = 'linkerd.io/control-plane-ns';

/**
 * Whether the pod runs a proxy of this mesh (design §3). Nothing else decides it. One whose labels cannot be read counts as
 * meshed: it is governed, and what is sent to it is encrypted, or is not sent.
 */
export const isMeshed = (
  { labels, unreadTexts }: Pick<ObjectMeta, 'labels' | 'unreadTexts'>,
  { controlPlaneNamespace }: Pick<Mesh, 'controlPlaneNamespace'>,
): boolean => labels[controlPlaneLabel] === controlPlaneNamespace || unreadTexts?.includes('labels') === true;

/** Whether nothing of the pod runs any more, so that it neither calls nor can be called. A terminating pod still runs. */
export const hasEnded = ({ phase, terminated }: Pick<PodSpec, 'phase' | 'terminated'>): boolean =>
  terminated || phase === 'Succeeded' || phase === 'Failed';
