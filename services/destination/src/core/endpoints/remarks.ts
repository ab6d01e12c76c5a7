import { bypassOf } from '@gatehouse/core/mesh/proxy-bypass';
import { isMeshed } from '@gatehouse/core/mesh/workload';
import type { Mesh } from '@gatehouse/core/mesh/workload-identity';
import type { KubeObject } from '@gatehouse/core/resources/kinds';
import type { Cluster } from '../cluster.ts';
import { type Endpoint, workloadAt } from './endpoint.ts';

/** What of an endpoint a person should know: why it is reached in plaintext, or as bytes. Phrases; usually none. */
export const remarksOn = (cluster: Cluster, namespace: string, endpoint: Endpoint): readonly string[] => {
  const { port, hint, identity } = endpoint.seenAs.unknown.shown;
  const workload = workloadAt(cluster, namespace, endpoint.place);
  if (workload === undefined) return ['nothing that is known is behind it'];
  const why =
    workload.kind === 'Pod' && hint === undefined
      ? [whyPlain(workload, port, cluster.settings.mesh)]
      : identity === undefined
        ? ['its name is too long for a certificate']
        : [];
  return hint?.protocol === 'opaque' ? [...why, 'opaque: clients send bytes'] : why;
};

const whyPlain = ({ meta, spec }: KubeObject<'Pod'>, port: number, mesh: Mesh): string => {
  if (!isMeshed(meta, mesh)) return 'it has no proxy of this mesh';
  const bypass = bypassOf({ hostNetwork: spec.hostNetwork, annotations: meta.annotations }, port);
  return bypass === 'host-network'
    ? 'it is on the network of its node'
    : 'the port is in its skip-inbound-ports';
};
