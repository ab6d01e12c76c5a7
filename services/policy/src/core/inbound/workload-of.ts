import { skipInboundPortsAnnotation } from '@gatehouse/core/mesh/proxy-bypass';
import { type ProxyPorts, usualProxyPorts } from '@gatehouse/core/mesh/proxy-ports';
import { unreadAsServer } from '@gatehouse/core/mesh/unread-pod';
import { isMeshed } from '@gatehouse/core/mesh/workload';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Workload } from './model.ts';

/** What runs a proxy that asks for its ports. */
export type Target = KubeObject<'Pod'> | KubeObject<'ExternalWorkload'>;

/** Whether a proxy of the mesh runs beside it. An ExternalWorkload is there for the mesh alone. */
export const hasProxy = (target: Target, mesh: Mesh): boolean =>
  target.kind === 'ExternalWorkload' || isMeshed(target.meta, mesh);

/** Everything of a target that its rows may depend on. */
export const workloadOf = (target: Target): Workload =>
  target.kind === 'Pod' ? workloadOfPod(target) : workloadOutside(target);

const workloadOfPod = (pod: KubeObject<'Pod'>): Workload => {
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

/** Of an ExternalWorkload: no kubelet probes it, and its network rules are not made from annotations. */
const workloadOutside = ({ meta, spec }: KubeObject<'ExternalWorkload'>): Workload => {
  const { [skipInboundPortsAnnotation]: _, ...annotations } = meta.annotations;
  const unread = [...(meta.unreadTexts ?? []), ...(spec.unreadPorts === undefined ? [] : ['ports'])];
  return {
    kind: 'external-workload',
    namespace: meta.namespace,
    labels: meta.labels,
    annotations,
    hostNetwork: false,
    ports: spec.ports,
    probes: [],
    proxyPorts: proxyPortsOf(spec.ports),
    ...(unread.length === 0 ? {} : { unread }),
  };
};

/** Linkerd's name for the port of the proxy (`contract/linkerd-semantics.md` §3.3). */
const proxyPortsOf = (ports: KubeObject<'ExternalWorkload'>['spec']['ports']): ProxyPorts => ({
  ...usualProxyPorts,
  inbound: ports.find(({ name }) => name === 'linkerd-proxy')?.port ?? usualProxyPorts.inbound,
});
