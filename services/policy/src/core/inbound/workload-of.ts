import { unreadAsServer } from '@gatehouse/core/mesh/unread-pod';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Workload } from './model.ts';

/** Everything of a pod that its rows may depend on. */
export const workloadOf = (pod: KubeObject<'Pod'>): Workload => {
  const { meta, spec } = pod;
  const unread = unreadAsServer(pod);
  return {
    namespace: meta.namespace,
    labels: meta.labels,
    annotations: meta.annotations,
    hostNetwork: spec.hostNetwork,
    ports: spec.ports,
    probes: spec.probes,
    proxyPorts: spec.proxyPorts,
    ...(spec.shutProbes === undefined ? {} : { shutProbes: spec.shutProbes }),
    ...(spec.unopened === undefined ? {} : { unopened: spec.unopened }),
    ...(unread.length === 0 ? {} : { unread }),
  };
};
