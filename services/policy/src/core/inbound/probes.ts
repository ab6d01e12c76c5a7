import type { Authorization } from '@gatehouse/core/inbound/inbound-server';
import type { ClusterConfig } from './model.ts';

/** Probes carry no identity. Without networks there is no authorization: the proxy would refuse the whole server. */
export const probeAuthorization = ({ probeNetworks }: ClusterConfig): Authorization | undefined =>
  probeNetworks.length === 0
    ? undefined
    : {
        networks: probeNetworks,
        authentication: { kind: 'unauthenticated' },
        meta: { kind: 'default', name: 'probe' },
      };
