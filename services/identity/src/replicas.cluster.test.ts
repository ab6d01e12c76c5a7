import { inOwnNetwork } from '@gatehouse/testing/own-network';
import { realApiServerAssets } from '@gatehouse/testing/real-api-server';
import { RealCluster } from '@gatehouse/testing/real-cluster';
import { replicasContract } from '../testing/replicas-contract.ts';

const { assets, skip } = realApiServerAssets();
const hosts = ['10.77.0.1', '10.77.0.2', '10.77.0.3'] as const;

inOwnNetwork({
  title: 'several replicas of identity answer as one on a real API server, in a network of their own',
  skip,
  hosts,
  file: import.meta.url,
  count: 6,
  suite: () => {
    const open = (): Promise<RealCluster> => RealCluster.start(assets, { authorization: 'RBAC' });
    replicasContract('a real API server', { hosts, listen: 'everywhere', open });
  },
});
