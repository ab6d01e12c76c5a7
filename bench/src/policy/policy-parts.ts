import { everywhere } from '@gatehouse/core/ip-network';
import { noPorts } from '@gatehouse/core/port-set';
import { silentLog } from '@gatehouse/platform/log/log';
import { PolicyWatch } from '@gatehouse/policy/ports/policy-watch';

/** The policy service's watch with the settings of a mesh `gatehouse`. */
export const aPolicyWatch = (): PolicyWatch =>
  new PolicyWatch({
    cluster: {
      mesh: { controlPlaneNamespace: 'gatehouse', trustDomain: 'cluster.local' },
      defaultPolicy: 'deny',
      clusterNetworks: [],
      probeNetworks: everywhere,
      defaultOpaquePorts: noPorts,
      detectTimeoutMs: 10_000,
    },
    clusterDomain: 'cluster.local',
    staleness: { maxMs: 90_000, onStale: 'hold' },
    log: silentLog,
  });
