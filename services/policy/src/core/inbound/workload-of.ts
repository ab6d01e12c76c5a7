import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Workload } from './model.ts';

/** Everything of a pod that its rows may depend on. */
export const workloadOf = ({ meta, spec }: KubeObject<'Pod'>): Workload => ({
  namespace: meta.namespace,
  labels: meta.labels,
  annotations: meta.annotations,
  hostNetwork: spec.hostNetwork,
  ports: spec.ports,
  probes: spec.probes,
  proxyPorts: spec.proxyPorts,
  ...(spec.shutProbes === undefined ? {} : { shutProbes: spec.shutProbes }),
  ...(spec.unopened === undefined ? {} : { unopened: spec.unopened }),
});
