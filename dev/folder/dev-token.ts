import { GatehouseError } from '@gatehouse/core/error';
import type { ResourceIndex } from '@gatehouse/core/resources/resource-index';
import { mintDevToken } from '@gatehouse/platform/state/dev-tokens';
import type { StateDir } from '@gatehouse/platform/state/state-dir';

/** A pod of whatever the services watch, by name. */
export interface NamedPod {
  readonly namespace: string;
  readonly name: string;
}

/** The pod and what a token says of it. Throws `not-found` listing the pods that there are. */
export const findPod = (index: ResourceIndex, { namespace, name }: NamedPod) => {
  const pod = index.get('Pod', namespace, name);
  if (pod === undefined) {
    const names = [...index.in('Pod', namespace).keys()].sort();
    const there =
      names.length === 0 ? `the folder has no pods in ${namespace}` : `there are: ${names.join(', ')}`;
    throw new GatehouseError('not-found', `no pod ${namespace}/${name}: ${there}`);
  }
  const account = index.get('ServiceAccount', namespace, pod.spec.serviceAccount);
  if (account === undefined) {
    throw new GatehouseError(
      'failed-precondition',
      `the ServiceAccount ${namespace}/${pod.spec.serviceAccount} of pod ${name} does not exist: add it to the folder`,
    );
  }
  return { pod, account };
};

/** What kubelet would project into the pod: a token bound to it, good for an hour. */
export const mintPodToken = (state: StateDir, index: ResourceIndex, named: NamedPod): Promise<string> => {
  const { pod, account } = findPod(index, named);
  return mintDevToken({
    state,
    namespace: named.namespace,
    serviceAccount: { name: account.meta.name, uid: account.meta.uid },
    pod: { name: pod.meta.name, uid: pod.meta.uid },
    now: Date.now(),
  });
};
