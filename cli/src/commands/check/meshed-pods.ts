import { controlPlaneLabel } from '@gatehouse/core/mesh/workload';
import type { CheckContext } from './check-context.ts';
import { at, items, nameOf, namespaceOf, text } from './cluster-reader.ts';
import { type Finding, skipped } from './finding.ts';

export type Pod = Readonly<Record<string, unknown>>;

export const fullName = (pod: Pod): string => `${namespaceOf(pod)}/${nameOf(pod)}`;

/** Pods that run: those that have ended, or have not begun, hold nothing. */
export const runningPods = async ({ cluster, of }: CheckContext): Promise<readonly Pod[]> => {
  const path = of === undefined ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(of)}/pods`;
  const pods = (await cluster.list(path)) ?? [];
  return pods.filter((pod) => at(pod, 'status', 'phase') === 'Running');
};

export const meshedPods = async (context: CheckContext): Promise<readonly Pod[]> =>
  (await runningPods(context)).filter((pod) => isMeshed(pod, context));

export const noneMeshed = ({ of }: CheckContext): Finding =>
  skipped(of === undefined ? 'no pod is in the mesh yet' : `no pod of the namespace ${of} is in the mesh`);

const proxyOf = (pod: Pod): unknown =>
  [...items(at(pod, 'spec', 'initContainers')), ...items(at(pod, 'spec', 'containers'))].find(
    ({ name }) => name === 'linkerd-proxy',
  );

export const environmentOf = (pod: Pod, variable: string): string | undefined => {
  const found = items(at(proxyOf(pod), 'env')).find(({ name }) => name === variable);
  return found === undefined ? undefined : text(found.value);
};

/** Whether its proxy obeys this control plane. */
export const isMeshed = (pod: Pod, { namespace }: CheckContext): boolean =>
  at(pod, 'metadata', 'labels', controlPlaneLabel) === namespace;
